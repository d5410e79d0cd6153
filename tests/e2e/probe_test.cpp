#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

int probe(const GatewayProcess& gateway, std::string_view target) {
  RawClient client(gateway.port("probe"));
  return client.get(target, "Connection: close\r\n").status();
}

TEST_CASE("a gateway whose backends are down is alive and ready") {
  GatewayProcess gateway(all_to(closed_port()));
  CHECK(probe(gateway, "/livez") == 200);
  CHECK(probe(gateway, "/readyz") == 200);
  CHECK(probe(gateway, "/startupz") == 200);
  CHECK(probe(gateway, "/elsewhere") == 404);
}

TEST_CASE("a draining gateway is alive and not ready, and still serves until the delay is over") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()).with("drain", "{ delay: 30s, timeout: 10s }"));
  gateway.process().signal(SIGTERM);
  const Deadline deadline;
  while (probe(gateway, "/readyz") == 200) REQUIRE(deadline.left() > 0);
  CHECK(probe(gateway, "/livez") == 200);
  RawClient client(gateway.port());
  CHECK(client.get("/").status() == 200);
}

TEST_CASE("metrics count what was served, by route template and never by path") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  ConfigText config;
  config.backend("legacy", backend.port())
      .route("item", "{ match: { path: \"/items/{id}\" }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (int i = 0; i < 10; ++i) client.get("/items/secret-" + std::to_string(i));
  client.get("/unknown");
  CHECK(gateway.metric("http_server_request_duration_seconds_count",
                       {"http_route=\"/items/{id}\"", "segue_route=\"item\""}) == 10);
  CHECK(gateway.metric("http_server_request_duration_seconds_count",
                       {"http_route=\"_unmatched\""}) == 1);
  CHECK(gateway.metric("segue_record_exchanges_total", {"result=\"recorded\""}) == 11);
  const auto text = gateway.metrics();
  CHECK(text.find("secret-") == std::string::npos);
  CHECK(text.find("segue_build_info") != std::string::npos);
  CHECK(text.find("segue_config_info") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
