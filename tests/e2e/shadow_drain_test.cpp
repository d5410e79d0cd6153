// Shadows and the end of the gateway.
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/shadowed.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

void wait_until_draining(GatewayProcess& gateway) {
  const Deadline deadline;
  while (const auto line = gateway.process().next_error_line(deadline))
    if (*line == "draining") return;
  throw TestFailure("the gateway does not drain");
}

TEST_CASE("a shadow under way is waited for when the gateway ends") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  Event go_on;
  ScriptedBackend copies([&](BackendConnection& connection) {
    connection.request();
    go_on.wait();
    connection.send(response_with(200, "new"));
  });
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100, timeout: 60s"));
  RawClient client(gateway.port());
  client.get("/");
  copies.wait_for_requests(1);
  gateway.process().signal(SIGTERM);
  wait_until_draining(gateway);
  go_on.set();
  CHECK(gateway.process().wait().exit_code == 0);
  const auto shadow = recorded_kind(gateway, "SHADOW");
  REQUIRE(shadow.size() == 1);
  CHECK(shadow[0].at("outcome") == "COMPLETED");
}

TEST_CASE("a shadow that lasts longer than the drain is cut, and on record as cut") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies([](BackendConnection& connection) {
    connection.request();
    connection.reader().wait_for_end();
  });
  auto config =
      shadowed(legacy.port(), copies.port(), "percent: 100, control_percent: 100, timeout: 1h");
  config.with("drain", "{ delay: 0s, timeout: 100ms }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/");
  copies.wait_for_requests(1);
  CHECK(gateway.stop().exit_code == 0);
  const auto shadow = recorded_kind(gateway, "SHADOW");
  REQUIRE(shadow.size() == 1);
  CHECK(shadow[0].at("outcome") == "INTERRUPTED");
  CHECK(shadow[0].at("attempts").at(0).at("error") == "cut: the gateway ends");
  CHECK(recorded_kind(gateway, "CONTROL").empty());
  CHECK(said_of_shadow(recorded_kind(gateway, "PRIMARY").at(0)) == "sent");
}

TEST_CASE("requests that come while the gateway drains are not copied") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  auto config = shadowed(legacy.port(), copies.port(), "percent: 100");
  config.with("drain", "{ delay: 1h, timeout: 10s }");
  GatewayProcess gateway(config);
  gateway.process().signal(SIGTERM);
  wait_until_draining(gateway);
  // The line comes before the cores have heard of it.
  const Deadline deadline;
  while (shadows(gateway, "skipped_draining") == 0) {
    RawClient client(gateway.port());
    CHECK(client.get("/").body == "old");
    REQUIRE(deadline.left() != 0);
  }
  const auto primaries = recorded_kind(gateway, "PRIMARY");
  CHECK(said_of_shadow(primaries.back()) == "skipped_draining");
  gateway.process().signal(SIGTERM);  // hurry
  CHECK(gateway.process().wait().exit_code == 0);
}

}  // namespace
}  // namespace segue::test
