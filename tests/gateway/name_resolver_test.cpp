#include "gateway/upstream/name_resolver.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/error.hpp>
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>

#include "gateway/upstream/endpoint_addresses.hpp"
#include "tests/gateway/scripted_names.hpp"
#include "tests/support/patience.hpp"

namespace segue::gateway {
namespace {

using boost::asio::ip::make_address;
using Addresses = std::vector<boost::asio::ip::address>;
namespace errors = boost::asio::error;

BackendSettings backend_of(std::vector<EndpointSettings> endpoints) {
  BackendSettings backend;
  backend.endpoints = std::move(endpoints);
  backend.dns_refresh = milliseconds{1};
  return backend;
}

TEST_CASE("addresses and sockets are not looked up") {
  const auto names = std::make_shared<ScriptedNames>();
  const NameResolver resolver(
      {backend_of({{"127.0.0.1", 80, {}}, {"::1", 80, {}}, {"", 0, "/run/a.sock"}})},
      names->lookup());
  for (std::size_t i = 0; i < 3; ++i) CHECK(resolver.of(0, i) == nullptr);
  CHECK(names->lookups("127.0.0.1") + names->lookups("::1") + names->lookups("") == 0);
}

TEST_CASE("the system knows what localhost stands for") {
  const NameAnswer answer = NameResolver::ask_system("localhost");
  CHECK_FALSE(answer.error);
  REQUIRE_FALSE(answer.addresses.empty());
  for (const auto& address : answer.addresses) CHECK(address.is_loopback());
  const NameAnswer none = NameResolver::ask_system("nobody.invalid");
  CHECK(none.error);
  CHECK(none.addresses.empty());
}

TEST_CASE("a name is looked up again and again, and other addresses are another version") {
  const auto names = std::make_shared<ScriptedNames>();
  names->say("a", {"10.0.0.1", "10.0.0.2"});
  const NameResolver resolver({backend_of({{"a", 80, {}}})}, names->lookup());
  const ResolvedName& name = *resolver.of(0, 0);
  names->wait_for_lookups("a", 3);
  CHECK(name.version() == 1);
  CHECK(name.addresses().list == Addresses{make_address("10.0.0.1"), make_address("10.0.0.2")});
  names->say("a", {"10.0.0.2", "10.0.0.1"});  // turned round: nothing new
  names->wait_for_more_lookups("a", 2);
  CHECK(name.version() == 1);
  names->say("a", {"10.0.0.3"});
  names->wait_for_more_lookups("a", 2);
  CHECK(name.version() == 2);
  CHECK(name.addresses().list == Addresses{make_address("10.0.0.3")});
}

TEST_CASE("a lookup that fails keeps the addresses that are known, and is counted") {
  const auto names = std::make_shared<ScriptedNames>();
  names->say("a", {"10.0.0.1"});
  const NameResolver resolver({backend_of({{"a", 80, {}}})}, names->lookup());
  const ResolvedName& name = *resolver.of(0, 0);
  names->wait_for_lookups("a", 2);
  names->fail("a", errors::host_not_found_try_again);
  names->wait_for_more_lookups("a", 3);
  CHECK(name.failures() >= 2);
  CHECK(name.failure() == errors::host_not_found_try_again);
  CHECK(name.version() == 1);
  CHECK(name.addresses().list == Addresses{make_address("10.0.0.1")});
}

TEST_CASE("a lookup that throws is one that failed, and is made again") {
  const auto memory = std::make_shared<std::atomic<bool>>(false);
  const NameResolver resolver({backend_of({{"a", 80, {}}})}, [memory](const std::string&) {
    if (!*memory) throw std::bad_alloc();
    return NameAnswer{{}, {make_address("10.0.0.1")}};
  });
  const ResolvedName& name = *resolver.of(0, 0);
  const test::Deadline deadline;
  while (name.failures() < 2) REQUIRE(deadline.left() > 0);
  CHECK(name.failure() == errors::no_memory);
  *memory = true;
  while (name.version() == 0) REQUIRE(deadline.left() > 0);
}

TEST_CASE("a lookup that hangs holds up neither another name nor the end") {
  const auto names = std::make_shared<ScriptedNames>();
  names->hang("slow");
  names->say("quick", {"10.0.0.1"});
  {
    const NameResolver resolver({backend_of({{"slow", 80, {}}}), backend_of({{"quick", 80, {}}})},
                                names->lookup());
    names->wait_for_lookups("slow", 1);
    names->wait_for_lookups("quick", 3);
    CHECK(resolver.of(1, 0)->version() == 1);
    CHECK(resolver.of(0, 0)->version() == 0);
    CHECK_FALSE(resolver.of(0, 0)->failure().has_value());
    CHECK(names->lookups("slow") == 1);  // one at a time for each name
  }
  names->let_go();
}

TEST_CASE("no more lookups than the bound are under way at once") {
  const auto names = std::make_shared<ScriptedNames>();
  std::vector<EndpointSettings> endpoints;
  for (std::size_t i = 0; i < NameResolver::kMaxLookups + 8; ++i) {
    endpoints.push_back({"slow" + std::to_string(i), 80, {}});
    names->hang(endpoints.back().host);
  }
  {
    const NameResolver resolver({backend_of(endpoints)}, names->lookup());
    names->wait_for_hanging(NameResolver::kMaxLookups);
    CHECK(names->hanging() == NameResolver::kMaxLookups);
    names->let_go();  // the others have their turn then
    names->wait_for_lookups(endpoints.back().host, 1);
  }
}

TEST_CASE("the addresses of a name take turns, and one that failed comes last for a while") {
  const auto names = std::make_shared<ScriptedNames>();
  names->say("a", {"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  const NameResolver resolver({backend_of({{"a", 80, {}}})}, names->lookup());
  names->wait_for_lookups("a", 2);
  EndpointAddresses addresses({"a", 80, {}}, resolver.of(0, 0));
  REQUIRE(addresses.outdated());
  addresses.renew();
  CHECK_FALSE(addresses.outdated());
  const runtime::MonotonicNs now = 1'000'000'000;
  const auto first = addresses.in_turn(now);
  const auto second = addresses.in_turn(now);
  REQUIRE(first.size() == 3);
  CHECK(second == std::vector{first[1], first[2], first[0]});
  addresses.failed(first[0], now);
  addresses.in_turn(now);
  CHECK(addresses.in_turn(now) == std::vector{first[1], first[2], first[0]});
  addresses.in_turn(now);
  addresses.in_turn(now);
  const auto later = runtime::after(now, EndpointAddresses::kRest);
  CHECK(addresses.in_turn(later).front() == first[0]);
}

}  // namespace
}  // namespace segue::gateway
