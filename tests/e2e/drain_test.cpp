// The end of a gateway as its clients see it: what has begun is finished, and who is told that the
// connection ends is never met with a reset.
#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <vector>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kRequest = "GET /late HTTP/1.1\r\nHost: shop.example\r\n\r\n";

void wait_until_draining(GatewayProcess& gateway) {
  const Deadline deadline;
  while (const auto line = gateway.process().next_error_line(deadline))
    if (*line == "draining") return;
  throw TestFailure("the gateway does not drain");
}

// Waits until a draining gateway takes no more connections: its idle ones have been ended then.
void wait_until_closed(std::uint16_t port) {
  const Deadline deadline;
  for (;;) {
    try {
      Socket::connect(port).reset();
    } catch (const TestFailure&) {
      return;  // refused
    }
    if (deadline.left() == 0) throw TestFailure("the gateway still accepts");
  }
}

TEST_CASE("an idle connection is ended cleanly, and the gateway ends with it") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.get("/");
  gateway.process().signal(SIGTERM);
  CHECK(client.reader().wait_for_end() == Received::end);
  client.socket().close();
  CHECK(gateway.process().wait().exit_code == 0);
}

TEST_CASE("a request that was there when its idle connection was to end is served") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  {
    RawClient client(gateway.port());
    client.get("/");
    gateway.process().signal(SIGSTOP);
    client.send(kRequest);
    gateway.process().signal(SIGTERM);
    gateway.process().signal(SIGCONT);
    const auto answer = client.response();
    CHECK(answer.status() == 200);
    CHECK(answer.whole);
    CHECK(client.reader().wait_for_end() == Received::end);
  }
  CHECK(gateway.process().wait().exit_code == 0);
  CHECK(recorded(gateway.journal()).size() == 2);
}

TEST_CASE("a request that crosses the end of its idle connection meets no reset") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.get("/");
  gateway.process().signal(SIGTERM);
  REQUIRE(client.reader().wait_for_end() == Received::end);
  client.send(kRequest);
  CHECK(client.reader().wait_for_end() == Received::end);
  client.socket().close();
  CHECK(gateway.process().wait().exit_code == 0);
  CHECK(backend.requests().size() == 1);
}

TEST_CASE("a request that crosses the end of its kept connection meets no reset") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ keep_alive: 100ms }"));
  RawClient client(gateway.port());
  client.get("/");
  REQUIRE(client.reader().wait_for_end() == Received::end);
  client.send(kRequest);
  CHECK(client.reader().wait_for_end() == Received::end);
}

TEST_CASE("who has connected and not yet asked when the gateway is told to end is served") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  gateway.wait_for_metric("segue_connections", {}, 1);
  gateway.process().signal(SIGTERM);
  wait_until_closed(gateway.port());
  const auto answer = client.get("/");
  CHECK(answer.body == "x");
  CHECK(answer.field("connection") == "close");
  CHECK(client.reader().wait_for_end() == Received::end);
  client.socket().close();
  CHECK(gateway.process().wait().exit_code == 0);
}

TEST_CASE("the last answer reaches a client that has sent another request behind it") {
  ScriptedBackend backend(answer_always(response_with(200, std::string(256 << 10, 'x'))));
  GatewayProcess gateway(all_to(backend.port()).with("drain", "{ delay: 1h, timeout: 10s }"));
  RawClient client(gateway.port(), 4096);
  gateway.process().signal(SIGTERM);
  wait_until_draining(gateway);
  // The line comes before the cores have heard of it.
  const Deadline deadline;
  for (;;) {
    RawClient other(gateway.port());
    if (other.get("/").field("connection") == "close") break;
    REQUIRE(deadline.left() > 0);
  }
  const auto seen = backend.requests().size();
  client.send(kRequest);
  backend.wait_for_requests(seen + 1);
  client.send(kRequest);
  const auto answer = client.response();
  CHECK(answer.field("connection") == "close");
  CHECK(answer.whole);
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(client.reader().rest().empty());
  gateway.process().signal(SIGTERM);  // hurry
  CHECK(gateway.process().wait().exit_code == 0);
}

TEST_CASE("a running exchange is finished and on record, and the journal is sealed") {
  Event go_on;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    go_on.wait();
    connection.send("after");
  });
  GatewayProcess gateway(all_to(backend.port()).with("drain", "{ delay: 0s, timeout: 1h }"));
  RawClient client(gateway.port());
  client.send(kRequest);
  backend.wait_for_requests(1);
  gateway.process().signal(SIGTERM);
  wait_until_closed(gateway.port());
  go_on.set();
  const auto answer = client.response();
  CHECK(answer.body == "firstafter");
  client.socket().close();
  CHECK(gateway.process().wait().exit_code == 0);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "COMPLETED");
  bool sealed = false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(gateway.journal_path()))
    sealed = sealed || entry.path().filename() == "sealed.json";
  CHECK(sealed);
}

// They are connected as far as they know, and have asked.
TEST_CASE("who waits in the queue of a gateway that is full when it is told to end is served") {
  Event go_on;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->target() == "/slow") go_on.wait();
      connection.send(response_with(200, "x"));
    }
  });
  GatewayProcess gateway(all_to(backend.port())
                             .with("cores", "{ count: 1 }")
                             .with("limits", "{ connections: 1 }")
                             .with("drain", "{ delay: 0s, timeout: 1h }"));
  RawClient busy(gateway.port());
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  std::vector<std::unique_ptr<RawClient>> queued;
  for (int i = 0; i < 3; ++i) {
    queued.push_back(std::make_unique<RawClient>(gateway.port()));
    queued.back()->send(kRequest);
  }
  gateway.process().signal(SIGTERM);
  for (auto& client : queued) {
    const auto answer = client->response();
    CHECK(answer.status() == 200);
    CHECK(answer.field("connection") == "close");
    CHECK(client->reader().wait_for_end() == Received::end);
  }
  go_on.set();
  CHECK(busy.response().whole);
  queued.clear();
  busy.socket().close();
  CHECK(gateway.process().wait().exit_code == 0);
}

TEST_CASE("what lasts longer than the drain is cut, the client notices, and it is on record as cut") {
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
    connection.reader().wait_for_end();
  });
  GatewayProcess gateway(all_to(backend.port()).with("drain", "{ delay: 0s, timeout: 100ms }"));
  RawClient client(gateway.port());
  client.send(kRequest);
  backend.wait_for_requests(1);
  CHECK(gateway.stop().exit_code == 0);
  CHECK(client.reader().wait_for_end() == Received::reset);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") != "COMPLETED");
}

}  // namespace
}  // namespace segue::test
