// Many connections that wait for their next request.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <string>

#include "tests/e2e/crowd.hpp"
#include "tests/e2e/tls_client.hpp"
#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::size_t kIdle = 2000;
constexpr std::size_t kIdleTls = 500;

// What OpenSSL keeps for a connection is about 14 KiB of the second; a read buffer is 16 KiB.
constexpr std::uint64_t kMostPlain = 4 << 10;
constexpr std::uint64_t kMostTls = 24 << 10;

void check_cost(std::uint64_t before, std::uint64_t after, std::size_t connections,
                std::uint64_t most) {
  const std::uint64_t each = (after - std::min(before, after)) / connections;
  INFO("RssAnon for each of " << connections << " connections: " << each << " bytes");
  CHECK((!memory_counts() || each < most));
}

TEST_CASE("2,000 idle connections hold no buffers, are all served again, and leave nothing behind") {
  allow_descriptors(kIdle + 200);
  ScriptedBackend backend(answer_always(response_with(200, "idle")));
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ keep_alive: 1h }"));
  std::deque<RawClient> clients;
  for (int i = 0; i < 50; ++i) CHECK(clients.emplace_back(gateway.port()).get("/").status() == 200);
  const auto before = gateway.process().memory("RssAnon");
  for (std::size_t i = 0; i < kIdle; ++i)
    REQUIRE(clients.emplace_back(gateway.port()).get("/first").body == "idle");
  check_cost(before, gateway.process().memory("RssAnon"), kIdle, kMostPlain);
  CHECK(gateway.metric("segue_connections") == static_cast<double>(kIdle + 50));
  for (RawClient& client : clients) REQUIRE(client.get("/again").body == "idle");
  clients.clear();
  wait_until_zero(gateway, "segue_connections");
  CHECK(gateway.metric("http_server_active_requests") == 0);
}

TEST_CASE("500 idle connections with TLS hold no buffers, of what they read or of what they sent") {
  allow_descriptors(kIdleTls + 200);
  const Certificate certificate("localhost");
  ScriptedBackend backend(answer_always(response_with(200, std::string(9000, 'b'))));
  auto config = tls_to(backend.port(), certificate_entry(certificate));
  GatewayProcess gateway(config.with("limits", "{ keep_alive: 1h }"));
  const TlsOffer offer;
  std::deque<TlsClient> clients;
  for (int i = 0; i < 20; ++i) CHECK(clients.emplace_back(gateway.port(), offer).get().size() > 9000);
  const auto before = gateway.process().memory("RssAnon");
  for (std::size_t i = 0; i < kIdleTls; ++i)
    REQUIRE(clients.emplace_back(gateway.port(), offer).get().size() > 9000);
  check_cost(before, gateway.process().memory("RssAnon"), kIdleTls, kMostTls);
  for (TlsClient& client : clients) REQUIRE(client.get().size() > 9000);
  clients.clear();
  wait_until_zero(gateway, "segue_connections");
}

}  // namespace
}  // namespace segue::test
