#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

// A gateway whose limits are small, with a backend that would answer 200.
class SmallLimits {
 public:
  explicit SmallLimits(std::string_view limits)
      : backend_(answer_always(response_with(200, "x"))),
        gateway_(all_to(backend_.port()).with("limits", limits)) {}

  // What the gateway answers to these bytes, and that it closes and tells the backend nothing.
  int refused(std::string_view bytes) {
    RawClient client(gateway_.port());
    client.socket().send_what_is_taken(bytes);
    const auto answer = client.response();
    client.socket().finish_sending();
    client.reader().wait_for_end();
    CHECK(backend_.requests().empty());
    CHECK(answer.field("segue-error").has_value());
    return answer.status();
  }
  GatewayProcess& gateway() { return gateway_; }

 private:
  ScriptedBackend backend_;
  GatewayProcess gateway_;
};

TEST_CASE("a head over its limit is 431, a target 414, a body 413, each counted") {
  SmallLimits small("{ head: 2KiB, fields: 10, target: 200B, body: 100B }");
  const std::string big(4096, 'a');
  CHECK(small.refused("GET / HTTP/1.1\r\nHost: a\r\nX: " + big + "\r\n\r\n") == 431);
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 20; ++i) many += fmt::format("X-{}: 1\r\n", i);
  CHECK(small.refused(many + "\r\n") == 431);
  CHECK(small.refused("GET /" + big.substr(0, 300) + " HTTP/1.1\r\nHost: a\r\n\r\n") == 414);
  CHECK(small.refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n") == 413);
  CHECK(small.gateway().metric("segue_limit_refusals_total") >= 4);
}

TEST_CASE("a chunked body over the limit does not arrive whole") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ body: 100B }"));
  RawClient client(gateway.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.socket().send_what_is_taken("80\r\n" + std::string(128, 'b') + "\r\n0\r\n\r\n");
  CHECK(client.response().status() == 413);
  for (const auto& request : backend.requests()) CHECK_FALSE(request.whole);
}

TEST_CASE("a head that does not come in time is 408") {
  SmallLimits small("{ head_time: 200ms }");
  CHECK(small.refused("GET / HTTP/1.1\r\nHos") == 408);
}

TEST_CASE("a head that stops after it outgrew its memory is recorded as it came") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(
      all_to(backend.port()).with("limits", "{ head_time: 300ms }").with("cores", "{ count: 1 }"));
  RawClient slow(gateway.port());
  const std::string value(2000, 'v');
  // The buffer of 4 KiB is full at the end of the second field, and has to grow.
  std::string head = "GET /slow HTTP/1.1\r\nHost: a\r\nX-One: " + value + "\r\nX-Two: " + value + "\r\n";
  head += "X-Three: " + std::string(4096 - head.size() - 9, 'w');
  slow.send(head);
  // Others take the memory that was given back meanwhile.
  RawClient other(gateway.port());
  for (int i = 0; i < 20; ++i) {
    RawClient next(gateway.port());
    CHECK(next.get("/other", "X-Other: " + std::string(3000, 'o') + "\r\n").status() == 200);
  }
  CHECK(slow.response().status() == 408);
  for (const auto& exchange : recorded(gateway.journal())) {
    const auto& request = exchange.at("request").as_object();
    if (request.at("target") != "/slow") continue;
    CHECK(recorded_header(request, "x-one") == value);
    CHECK(recorded_header(request, "x-two") == value);
  }
}

TEST_CASE("a body that stops coming is 408") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ body_idle: 300ms }"));
  RawClient client(gateway.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(client.response().status() == 408);
}

TEST_CASE("an idle connection is closed at its keep-alive time, without an answer") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ keep_alive: 200ms }"));
  RawClient client(gateway.port());
  CHECK(client.get("/").status() == 200);
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(client.reader().rest().empty());
}

TEST_CASE("SIGTERM: the exchange in flight is finished, then the gateway ends with 0") {
  Event go;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->target() == "/") go.wait();
      connection.send(response_with(200, "served while draining"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient idle(gateway.port());  // one that has asked before: a new one is waited for
  CHECK(idle.get("/before").status() == 200);
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(2);
  gateway.process().signal(SIGTERM);
  CHECK(idle.reader().wait_for_end() == Received::end);
  go.set();
  const auto answer = client.response();
  CHECK(answer.body == "served while draining");
  CHECK(answer.field("connection") == "close");
  CHECK(gateway.process().wait().exit_code == 0);
  CHECK(recorded(gateway.journal()).size() == 2);
}

TEST_CASE("SIGTERM: what does not end within the drain timeout is cut") {
  Event done;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    done.wait();
  });
  GatewayProcess gateway(all_to(backend.port()).with("drain", "{ delay: 0s, timeout: 300ms }"));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  const auto end = gateway.stop();
  done.set();
  CHECK(end.exit_code == 0);
}

TEST_CASE("SIGTERM: a request on a pooled connection is cut and not sent again") {
  Event done;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    connection.send(response_with(200, "pooled"));
    while (connection.request()) done.wait();
  });
  auto config = all_to(backend.port(), "timeouts: { first_byte: none }");
  config.with("drain", "{ delay: 0s, timeout: 300ms }").with("cores", "{ count: 1 }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/1").body == "pooled");
  client.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(2);
  const auto end = gateway.stop();
  done.set();
  CHECK(end.exit_code == 0);
}

}  // namespace
}  // namespace segue::test
