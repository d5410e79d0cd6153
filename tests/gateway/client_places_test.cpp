#include "gateway/listening/client_places.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <thread>
#include <vector>

#include "gateway/listening/trusted_peers.hpp"

namespace segue::gateway {
namespace {

using boost::asio::ip::make_address;
using Purpose = ClientPlaces::Purpose;

ClientKey key(const char* address) {
  return ClientKey(make_address(address));
}

TEST_CASE("a client has as many places as the limit says, and others have their own") {
  ClientPlaces places(2);
  auto first = places.take(key("192.0.2.1"), Purpose::service);
  const auto second = places.take(key("192.0.2.1"), Purpose::service);
  CHECK(first);
  CHECK(second);
  CHECK_FALSE(places.take(key("192.0.2.1"), Purpose::service));
  CHECK(places.take(key("192.0.2.2"), Purpose::service));
  first.give_back();
  CHECK(places.take(key("192.0.2.1"), Purpose::service));
}

TEST_CASE("who is refused takes no place of who is served, and as many may be told") {
  ClientPlaces places(1);
  auto served = places.take(key("192.0.2.1"), Purpose::service);
  const auto told = places.take(key("192.0.2.1"), Purpose::refusal);
  CHECK(told);
  CHECK_FALSE(places.take(key("192.0.2.1"), Purpose::refusal));
  served.give_back();
  CHECK(places.take(key("192.0.2.1"), Purpose::service));
}

TEST_CASE("the addresses of one IPv6 network are one client, those of the next another") {
  ClientPlaces places(1);
  const auto first = places.take(key("2001:db8:0:1::1"), Purpose::service);
  CHECK_FALSE(places.take(key("2001:db8:0:1:ffff:ffff:ffff:ffff"), Purpose::service));
  CHECK(places.take(key("2001:db8:0:2::1"), Purpose::service));
}

TEST_CASE("clients that are gone are not remembered") {
  ClientPlaces places(1);
  {
    std::vector<ClientPlaces::Place> taken;
    for (unsigned i = 0; i < 1000; ++i) {
      const boost::asio::ip::address_v4 address(0x0a000000 + i);
      taken.push_back(places.take(ClientKey(address), Purpose::service));
      CHECK(taken.back());
    }
    CHECK(places.clients() == 1000);
    const auto refused = places.take(key("10.0.0.1"), Purpose::service);
    CHECK_FALSE(refused);
  }
  CHECK(places.clients() == 0);
}

TEST_CASE("cores that take and give back places at once never pass the limit") {
  ClientPlaces places(3);
  std::atomic<int> held{0};
  std::atomic<bool> passed{false};
  std::vector<std::thread> cores;
  for (int core = 0; core < 4; ++core)
    cores.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        auto place = places.take(key("192.0.2.1"), Purpose::service);
        if (!place) continue;
        if (++held > 3) passed = true;
        --held;
      }
    });
  for (auto& core : cores) core.join();
  CHECK_FALSE(passed);
  CHECK(places.clients() == 0);
}

TEST_CASE("unix in trusted_proxies is whoever connects to a socket file, and no address") {
  const TrustedPeers with({"10.0.0.0/8", "unix"});
  CHECK(with.contains_unix());
  CHECK(with.contains(make_address("10.1.2.3")));
  CHECK(with.contains(make_address("::ffff:10.1.2.3")));
  CHECK_FALSE(with.contains(make_address("192.0.2.1")));
  CHECK_FALSE(TrustedPeers({"0.0.0.0/0"}).contains_unix());
}

}  // namespace
}  // namespace segue::gateway
