#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/e2e/several_endpoints.hpp"
#include "tests/support/raw_client.hpp"

namespace segue::test {
namespace {

double ejections(const GatewayProcess& gateway, const std::string& endpoint) {
  return gateway.metric("segue_backend_endpoint_ejections_total", labels_of(endpoint));
}

TEST_CASE("a dead endpoint of three is left out, and the others share its requests") {
  ScriptedBackend one(answer_always(response_with(200, "x")));
  ScriptedBackend two(answer_always(response_with(200, "x")));
  const Descriptor dead = bound_socket();
  const std::string third = endpoint_at(port_of(dead));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(one.port()), third, endpoint_at(two.port())},
                                          "ejection: { after: 2, base: 10m, max: 10m }"));
  const auto statuses = ask(gateway, 6);
  CHECK(std::ranges::count(statuses, 502) == 2);
  CHECK(ejections(gateway, third) == 1);
  CHECK(gateway.metric("segue_backend_endpoint_available", labels_of(third)) == 0);
  const std::size_t before = one.requests().size();
  CHECK(ask(gateway, 20) == std::vector<int>(20, 200));
  CHECK(one.requests().size() == before + 10);
  CHECK(gateway.metric("segue_backend_unavailable_requests_total") == 0);
}

TEST_CASE("an endpoint that was dead comes back") {
  ScriptedBackend one(answer_always(response_with(200, "x")));
  Descriptor dead = bound_socket();
  const std::string second = endpoint_at(port_of(dead));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(one.port()), second},
                                          "ejection: { after: 1, base: 50ms, max: 100ms }"));
  while (ejections(gateway, second) < 2) ask(gateway, 1);
  ScriptedBackend revived(answer_always(response_with(200, "x")), std::move(dead));
  const Deadline deadline;
  while (revived.requests().empty() && deadline.left() > 0) ask(gateway, 1);
  wait_until_available(gateway, second);
  const std::size_t before = revived.requests().size();
  CHECK(ask(gateway, 20) == std::vector<int>(20, 200));
  CHECK(revived.requests().size() == before + 10);
}

TEST_CASE("what fails an endpoint: a reset before an answer, and no answer in time") {
  const bool silent = GENERATE(false, true);
  Event done;
  ScriptedBackend bad([&](BackendConnection& connection) {
    connection.request();
    if (silent) done.wait();
  });
  ScriptedBackend good(answer_always(response_with(200, "x")));
  const std::string endpoint = endpoint_at(bad.port());
  GatewayProcess gateway(all_to_endpoints(
      {endpoint, endpoint_at(good.port())},
      "ejection: { after: 2, base: 10m, max: 10m }, timeouts: { first_byte: 100ms }"));
  const auto statuses = ask(gateway, 10);
  done.set();
  CHECK(std::ranges::count(statuses, silent ? 504 : 502) == 2);
  CHECK(ejections(gateway, endpoint) == 1);
}

TEST_CASE("an answer is an answer, whatever its status") {
  const int status = GENERATE(500, 502, 503, 504);
  ScriptedBackend backend(answer_always(response_with(status, "x")));
  ScriptedBackend other(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(backend.port()), endpoint_at(other.port())},
                                          "ejection: { after: 1, base: 10m, max: 10m }"));
  const auto statuses = ask(gateway, 10);
  CHECK(std::ranges::count(statuses, status) == 5);
  CHECK(gateway.metric("segue_backend_endpoint_ejections_total") == 0);
}

// Hears requests and says nothing.
ScriptedBackend::Script mute(Event& done) {
  return [&done](BackendConnection& connection) {
    connection.request_head();
    done.wait();
  };
}

TEST_CASE("a client that leaves is no failure of the endpoint") {
  Event done;
  ScriptedBackend backend(mute(done));
  GatewayProcess gateway(
      all_to_endpoints({endpoint_at(backend.port())}, "ejection: { after: 1, base: 10m, max: 10m }"));
  RawClient leaving(gateway.port());
  leaving.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  leaving.socket().reset();
  gateway.wait_for_metric("segue_client_aborts_total", {}, 1);
  done.set();
  CHECK(gateway.metric("segue_backend_endpoint_ejections_total") == 0);
}

TEST_CASE("a client that does not send its body is no failure of the endpoint") {
  Event done;
  ScriptedBackend backend(mute(done));
  GatewayProcess gateway(
      all_to_endpoints({endpoint_at(backend.port())},
                       "ejection: { after: 1, base: 10m, max: 10m }, timeouts: { total: 300ms }"));
  RawClient slow(gateway.port());
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nonly this");
  CHECK(slow.response("POST").status() >= 400);
  done.set();
  CHECK(gateway.metric("segue_backend_endpoint_ejections_total") == 0);
}

// A client that sends the rest of its body when this much of its exchange's time has passed, as an
// answer to another request says that began later and has as long or longer.
struct SlowClient {
  SlowClient(const GatewayProcess& gateway, std::string_view before) : client(gateway.port()) {
    if (!before.empty()) client.get(before);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo");
    gateway.wait_for_metric("http_server_active_requests", {}, 1);
    RawClient clock(gateway.port());
    REQUIRE(clock.get("/clock").status() == 504);
    client.send("dy");
  }
  RawClient client;
};

ConfigText timed(std::uint16_t endpoint, std::uint16_t mute, std::string_view total,
                 std::string_view clock) {
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .backend("legacy", endpoint,
               fmt::format("ejection: {{ after: 1, base: 10m, max: 10m }}, "
                           "timeouts: {{ total: {} }}",
                           total))
      .backend("mute", mute, fmt::format("timeouts: {{ total: {} }}", clock))
      .route("clock", "{ match: { prefix: /clock }, to: mute }")
      .route("all", "{ match: { prefix: / }, to: legacy }");
  return config;
}

TEST_CASE("a client that took all the time of its exchange: nothing is sent, nobody is to blame") {
  const auto before = GENERATE(as<std::string>{}, "", "/before");  // with a pooled connection
  Event done;
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  ScriptedBackend clock(mute(done));
  GatewayProcess gateway(timed(backend.port(), clock.port(), "400ms", "500ms"));
  const std::string endpoint = endpoint_at(backend.port());
  SlowClient slow(gateway, before);
  const auto answer = slow.client.response("POST");
  done.set();
  CHECK(answer.status() == 504);
  CHECK(answer.field("segue-error") == "upstream_connect_timeout");
  CHECK(backend.requests().size() == (before.empty() ? 0 : 1));
  CHECK(ejections(gateway, endpoint) == 0);
  CHECK(gateway.metric("segue_limit_refusals_total", {"limit=\"total\""}) == 2);
}

TEST_CASE("an endpoint to which a client left little of the time is not to blame for its silence") {
  Event done;
  ScriptedBackend backend(mute(done));
  ScriptedBackend clock(mute(done));
  GatewayProcess gateway(timed(backend.port(), clock.port(), "1s", "700ms"));
  SlowClient slow(gateway, "");
  CHECK(slow.client.response("POST").status() == 504);
  done.set();
  CHECK(ejections(gateway, endpoint_at(backend.port())) == 0);
}

TEST_CASE("an endpoint that says nothing for the whole time of an exchange is to blame") {
  Event done;
  ScriptedBackend backend(mute(done));
  const std::string endpoint = endpoint_at(backend.port());
  GatewayProcess gateway(all_to_endpoints(
      {endpoint}, "ejection: { after: 1, base: 10m, max: 10m }, timeouts: { total: 300ms }"));
  CHECK(ask(gateway, 1) == std::vector<int>{504});
  done.set();
  CHECK(ejections(gateway, endpoint) == 1);
}

TEST_CASE("an endpoint that has no other beside it is never without service") {
  std::atomic<int> served = 0;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      if (served++ < 3) return;  // closes without an answer
      connection.send(response_with(200, "again"));
    }
  });
  const std::string endpoint = endpoint_at(backend.port());
  GatewayProcess gateway(
      all_to_endpoints({endpoint}, "ejection: { after: 1, base: 10m, max: 10m }"));
  CHECK(ask(gateway, 3) == std::vector<int>(3, 502));
  CHECK(gateway.metric("segue_backend_endpoint_available", labels_of(endpoint)) == 0);
  CHECK(ejections(gateway, endpoint) == 1);
  CHECK(ask(gateway, 3) == std::vector<int>(3, 200));
  CHECK(gateway.metric("segue_backend_endpoint_available", labels_of(endpoint)) == 1);
  CHECK(gateway.metric("segue_backend_unavailable_requests_total") == 3);
}

TEST_CASE("when every endpoint is ejected all of them are tried") {
  const Descriptor one = bound_socket();
  Descriptor two = bound_socket();
  const std::string first = endpoint_at(port_of(one));
  const std::string second = endpoint_at(port_of(two));
  GatewayProcess gateway(
      all_to_endpoints({first, second}, "ejection: { after: 1, base: 10m, max: 10m }"));
  CHECK(ask(gateway, 2) == std::vector<int>(2, 502));
  CHECK(ejections(gateway, first) + ejections(gateway, second) == 2);
  ScriptedBackend revived(answer_always(response_with(200, "x")), std::move(two));
  const auto statuses = ask(gateway, 2);
  CHECK(std::ranges::count(statuses, 200) == 1);
  CHECK(gateway.metric("segue_backend_endpoint_available", labels_of(second)) == 1);
  CHECK(ask(gateway, 5) == std::vector<int>(5, 200));
}

TEST_CASE("copies that fail take no endpoint from clients") {
  ScriptedBackend legacy(answer_always(response_with(200, "x")));
  const Descriptor dead = bound_socket();
  const std::string endpoint = endpoint_at(port_of(dead));
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .backend("legacy", legacy.port())
      .backend("new", port_of(dead), "ejection: { after: 1, base: 10m, max: 10m }")
      .route("all", "{ match: { prefix: / }, to: legacy, shadow: { to: new, percent: 100 } }");
  GatewayProcess gateway(config);
  CHECK(ask(gateway, 5) == std::vector<int>(5, 200));
  gateway.wait_for_metric("segue_shadow_requests_total", {"result=\"error\""}, 5);
  CHECK(ejections(gateway, endpoint) == 0);
  CHECK(gateway.metric("segue_backend_endpoint_available", labels_of(endpoint)) == 1);
}

}  // namespace
}  // namespace segue::test
