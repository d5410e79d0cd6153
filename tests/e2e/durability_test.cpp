// What each level of `durability` promises, as a client and an operator see it. `journal` is
// crash_test.cpp, `kafka` is kafka_durability_test.cpp; that synced frames survive a power cut is
// tests/recorder/journal_sync_test.cpp.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab";

ConfigText with_durability(std::uint16_t backend, std::string_view level) {
  ConfigText config = all_to(backend);
  return config.with("defaults",
                     fmt::format("{{ record: {{ redact: {{}}, durability: {} }} }}", level));
}

TEST_CASE("durability disk: an exchange is answered once its frames were synced") {
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(with_durability(backend.port(), "disk"));
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "ok");
  const double after_get = gateway.metric("segue_journal_syncs_total");
  CHECK(after_get >= 1);
  // The intent before the backend hears of it, the exchange before the client does.
  CHECK(client.exchange(kPost).body == "ok");
  CHECK(gateway.metric("segue_journal_syncs_total") >= after_get + 2);
  CHECK(gateway.metric("segue_durability_timeouts_total") == 0);
  CHECK(recorded(gateway.journal()).size() == 2);
}

TEST_CASE("durability disk: those who wait at the same time share a sync") {
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(with_durability(backend.port(), "disk"));
  constexpr int kClients = 40;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < kClients; ++i)
    clients.push_back(std::make_unique<RawClient>(gateway.port()));
  for (auto& client : clients) client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (auto& client : clients) CHECK(client->response().body == "ok");
  CHECK(gateway.metric("segue_journal_syncs_total") < kClients);
}

TEST_CASE("durability journal asks nobody to sync") {
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(with_durability(backend.port(), "journal"));
  RawClient client(gateway.port());
  CHECK(client.exchange(kPost).body == "ok");
  CHECK(gateway.metric("segue_journal_syncs_total") == 0);
}

TEST_CASE("durability best-effort: a full journal refuses nobody, and what is lost is counted") {
  ScriptedBackend backend(answer_always(response_with(200, std::string(4096, 'x'))));
  ConfigText config = all_to(backend.port());
  config.with("cores", "{ count: 1 }")
      .with("defaults",
            "{ record: { bodies: { max: 8KiB }, redact: {}, durability: best-effort } }")
      .with("recorder",
            "{ journal: { dir: journal, max_size: 2MiB, segment: 256KiB, consumers: [archiver], "
            "when_full: { safe: refuse, unsafe: refuse } } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  constexpr int kMany = 1500;
  for (int i = 0; i < kMany; ++i) REQUIRE(client.exchange(kPost).status() == 200);
  // The last one is appended after its answer: a scrape comes after that on the same core.
  const auto dropped = gateway.metric("segue_journal_dropped_total", {"reason=\"exchange\""});
  CHECK(dropped > 0);
  CHECK(recorded(gateway.journal()).size() + static_cast<std::size_t>(dropped) == kMany);
}

TEST_CASE("durability best-effort makes no intents: a gateway that dies knows nothing of them") {
  const auto stalled = [](BackendConnection& connection) {
    while (connection.request()) continue;  // until the gateway is gone
  };
  for (const std::string_view level : {"best-effort", "journal"}) {
    ScriptedBackend backend(stalled);
    GatewayProcess gateway(with_durability(backend.port(), level));
    RawClient client(gateway.port());
    client.send(kPost);
    backend.wait_for_requests(1);
    gateway.kill();
    CHECK(recorded(gateway.journal()).size() == (level == "journal" ? 1 : 0));
  }
}

}  // namespace
}  // namespace segue::test
