#include <fmt/format.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <list>
#include <thread>

#include "tests/e2e/several_endpoints.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

TEST_CASE("requests take turns over the endpoints") {
  const auto script = answer_always(response_with(200, "x"));
  ScriptedBackend one(script);
  ScriptedBackend two(script);
  ScriptedBackend three(script);
  GatewayProcess gateway(all_to_endpoints(
      {endpoint_at(one.port()), endpoint_at(two.port()), endpoint_at(three.port())}));
  CHECK(ask(gateway, 30) == std::vector<int>(30, 200));
  CHECK(one.requests().size() == 10);
  CHECK(two.requests().size() == 10);
  CHECK(three.requests().size() == 10);
  CHECK(gateway.metric("segue_backend_endpoint_available") == 3);
}

TEST_CASE("with least_requests an endpoint that does not answer gets hardly any more") {
  Event go;
  ScriptedBackend stuck([&](BackendConnection& connection) {
    while (connection.request()) {
      go.wait();
      connection.send(response_with(200, "late"));
    }
  });
  ScriptedBackend quick(answer_always(response_with(200, "soon")));
  GatewayProcess gateway(all_to_endpoints({endpoint_at(stuck.port()), endpoint_at(quick.port())},
                                          "balance: least_requests"));
  std::list<RawClient> waiting;
  for (std::size_t sent = 1; sent <= 40; ++sent) {
    RawClient& client = waiting.emplace_back(gateway.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::size_t before = stuck.requests().size();
    const Deadline deadline;
    while (stuck.requests().size() + quick.requests().size() < sent && deadline.left() > 0)
      std::this_thread::yield();
    if (stuck.requests().size() != before) continue;
    CHECK(client.response().body == "soon");
    waiting.pop_back();
  }
  CHECK(stuck.requests().size() <= 4);  // taking turns it would be 20
  go.set();
  for (RawClient& client : waiting) CHECK(client.response().body == "late");
}

TEST_CASE("a Unix socket: kept alive, and served again after its server was restarted") {
  const TempDir folder;
  const auto file = folder / "php.sock";
  auto first = std::make_unique<ScriptedBackend>(answer_always(response_with(200, "first")),
                                                 bound_socket(file));
  GatewayProcess gateway(all_to_endpoints({"unix:" + file.string()}));
  RawClient client(gateway.port());
  for (int i = 0; i < 3; ++i) CHECK(client.get("/").body == "first");
  CHECK(first->connections() == 1);
  CHECK(first->requests().front().field("host") == "shop.example");

  first.reset();
  std::filesystem::remove(file);
  CHECK(client.get("/").status() == 502);
  ScriptedBackend second(answer_always(response_with(200, "second")), bound_socket(file));
  CHECK(client.get("/").body == "second");
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 5);
  CHECK(text_of(exchanges[4].at("endpoint")) == "unix:" + file.string());
}

TEST_CASE("a Unix socket whose queue is full is tried until there is room") {
  const TempDir folder;
  const auto file = folder / "php.sock";
  Descriptor listening = bound_socket(file);
  REQUIRE(::listen(listening.get(), 0) == 0);
  GatewayProcess gateway(
      all_to_endpoints({"unix:" + file.string()}, "timeouts: { connect: 30s }"));
  std::list<RawClient> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back(gateway.port()).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  gateway.wait_for_metric("segue_backend_connects_total", {}, 4);
  ScriptedBackend backend(answer_always(response_with(200, "x")), std::move(listening));
  for (RawClient& client : clients) CHECK(client.response().body == "x");
  CHECK(gateway.metric("segue_backend_connect_failures_total") == 0);
}

TEST_CASE("an address of a name that takes no connection costs no request") {
  // ::1, where it is there, is nobody's: only 127.0.0.1 listens.
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  GatewayProcess gateway(all_to_endpoints({fmt::format("localhost:{}", backend.port())},
                                          "ejection: { after: 1 }, limits: { idle: 0 }"));
  CHECK(ask(gateway, 10) == std::vector<int>(10, 200));
  CHECK(backend.connections() == 10);
  CHECK(gateway.metric("segue_backend_connect_failures_total") == 0);
  CHECK(gateway.metric("segue_backend_endpoint_ejections_total") == 0);
}

TEST_CASE("lookups of a name that nobody knows are counted") {
  GatewayProcess gateway(all_to_endpoints({"nobody.invalid:80"}));
  gateway.wait_for_metric("segue_backend_endpoint_name_failures_total",
                          labels_of("nobody.invalid:80"), 1);
  CHECK(ask(gateway, 1) == std::vector{502});
}

}  // namespace
}  // namespace segue::test
