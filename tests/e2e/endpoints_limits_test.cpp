#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <list>
#include <memory>

#include "tests/e2e/several_endpoints.hpp"
#include "tests/support/raw_client.hpp"

namespace segue::test {
namespace {

// Answers the first request when it may, the others at once.
ScriptedBackend::Script held(Event& go) {
  return [&go](BackendConnection& connection) {
    while (connection.request()) {
      go.wait();
      connection.send(response_with(200, "x"));
    }
  };
}

void send_get(RawClient& client, std::string_view target) {
  client.send(fmt::format("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", target));
}

TEST_CASE("a request goes to the endpoint that has room") {
  Event go;
  ScriptedBackend full(held(go));
  ScriptedBackend free(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(full.port()), endpoint_at(free.port())},
                                          "limits: { connections: 1, pending: 1 }"));
  RawClient first(gateway.port());
  RawClient second(gateway.port());
  send_get(first, "/1");
  send_get(second, "/2");
  full.wait_for_requests(1);
  free.wait_for_requests(1);
  CHECK((full.requests()[0].target() == "/1" ? second : first).response().status() == 200);
  CHECK(ask(gateway, 6) == std::vector<int>(6, 200));
  CHECK(full.requests().size() == 1);
  CHECK(free.requests().size() == 7);
  CHECK(gateway.metric("segue_backend_connections") == 2);
  go.set();
}

TEST_CASE("when all endpoints are full requests wait, are served in their order, and more are 503") {
  Event one_goes;
  Event two_goes;
  ScriptedBackend one(held(one_goes));
  ScriptedBackend two(held(two_goes));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(one.port()), endpoint_at(two.port())},
                                          "limits: { connections: 1, pending: 1 }"));
  std::list<RawClient> served;
  for (const char* target : {"/1", "/2"}) send_get(served.emplace_back(gateway.port()), target);
  one.wait_for_requests(1);
  two.wait_for_requests(1);
  // One for each endpoint may wait.
  double waiting = 0;
  for (const char* target : {"/3", "/4"}) {
    send_get(served.emplace_back(gateway.port()), target);
    gateway.wait_for_metric("segue_backend_pending_requests", {}, ++waiting);
  }
  RawClient refused(gateway.port());
  const auto answer = refused.get("/5");
  CHECK(answer.status() == 503);
  CHECK(answer.field("segue-error") == "upstream_overloaded");
  CHECK(gateway.metric("segue_limit_refusals_total", {"limit=\"pending\""}) == 1);

  two_goes.set();
  const auto heard = two.wait_for_requests(3);
  CHECK(heard[1].target() == "/3");
  CHECK(heard[2].target() == "/4");
  one_goes.set();
  for (RawClient& client : served) CHECK(client.response().status() == 200);
  CHECK(one.requests().size() == 1);
}

TEST_CASE("with `pending: 0` nobody waits, and with `idle: 0` no connection is kept") {
  Event go;
  ScriptedBackend backend(held(go));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(backend.port())},
                                          "limits: { connections: 1, pending: 0, idle: 0 }"));
  RawClient first(gateway.port());
  send_get(first, "/1");
  backend.wait_for_requests(1);
  CHECK(ask(gateway, 1) == std::vector{503});
  go.set();
  CHECK(first.response().status() == 200);
  CHECK(first.get("/2").status() == 200);
  CHECK(backend.connections() == 2);
}

TEST_CASE("many requests over few connections to several endpoints are all served") {
  ScriptedBackend one(answer_always(response_with(200, "x")));
  ScriptedBackend two(answer_always(response_with(200, "x", "Connection: close\r\n")));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(one.port()), endpoint_at(two.port())},
                                          "limits: { connections: 2, pending: 64 }"));
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) clients.push_back(std::make_unique<RawClient>(gateway.port()));
  for (int round = 0; round < 10; ++round) {
    for (auto& client : clients) send_get(*client, "/");
    for (auto& client : clients) CHECK(client->response().status() == 200);
  }
  CHECK(gateway.metric("segue_backend_connections") <= 4);
  CHECK(gateway.metric("segue_backend_pending_requests") == 0);
}

TEST_CASE("a retry that waits for the full endpoint keeps nobody from the one with room") {
  Event go;
  ScriptedBackend full(held(go));
  Descriptor dead = bound_socket();
  GatewayProcess gateway(all_to_endpoints(
      {endpoint_at(full.port()), endpoint_at(port_of(dead))},
      "limits: { connections: 1 }, ejection: { after: 0 }, retries: { attempts: 1 }, "
      "timeouts: { first_byte: 10m }"));
  // One of them is at the full endpoint, the other one was refused by the dead one.
  RawClient one(gateway.port());
  send_get(one, "/1");
  full.wait_for_requests(1);
  RawClient two(gateway.port());
  send_get(two, "/2");
  gateway.wait_for_metric("segue_backend_pending_requests", {}, 1);
  ScriptedBackend revived(answer_always(response_with(200, "here")), std::move(dead));
  for (int i = 0; i < 3; ++i) CHECK(RawClient(gateway.port()).get("/3").body == "here");
  CHECK(gateway.metric("segue_backend_pending_requests") == 1);
  go.set();
  CHECK(one.response().body == "x");
  CHECK(two.response().body == "x");
}

TEST_CASE("who waits for a full endpoint is sent to the one that becomes available meanwhile") {
  Event go;
  ScriptedBackend full(held(go));
  Descriptor dead = bound_socket();
  const std::string second = endpoint_at(port_of(dead));
  GatewayProcess gateway(all_to_endpoints(
      {endpoint_at(full.port()), second},
      "limits: { connections: 1 }, ejection: { after: 1, base: 300ms, max: 300ms }"));
  // The one that is refused ejects its endpoint, the other one fills its own.
  RawClient one(gateway.port());
  RawClient two(gateway.port());
  send_get(one, "/1");
  send_get(two, "/2");
  full.wait_for_requests(1);
  RawClient& failed = full.requests()[0].target() == "/1" ? two : one;
  CHECK(failed.response().status() == 502);
  ScriptedBackend revived(answer_always(response_with(200, "here")), std::move(dead));
  RawClient waits(gateway.port());
  CHECK(waits.get("/3").body == "here");
  go.set();
}

}  // namespace
}  // namespace segue::test
