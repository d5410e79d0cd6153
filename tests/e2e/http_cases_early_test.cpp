// Interim answers, Expect, answers that come early, clients that go: who is told what, and what the
// other side may think of it.

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/http_cases.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kExpecting =
    "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n";

TEST_CASE("100, 102 and 103 are relayed in their order while the body is waited for") {
  ScriptedBackend backend([](BackendConnection& connection) {
    auto request = connection.request_head();
    connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
    connection.reader().body(*request);
    connection.send("HTTP/1.1 102 Processing\r\n\r\n" + std::string(kOk));
  });
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(kExpecting);
  CHECK(client.reader().head()->raw_head == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  CHECK(client.reader().head()->raw_head == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  CHECK(client.reader().head()->raw_head == "HTTP/1.1 102 Processing\r\n\r\n");
  CHECK(undated(client.reader().some(kOkAtClient.size() + kDateLineBytes)) == kOkAtClient);
}

TEST_CASE("a body that comes with its Expect is passed on, and the connection stays in use") {
  Believer backend("HTTP/1.1 100 Continue\r\n\r\n" + std::string(kOk));
  GatewayProcess gateway(only_open(backend.port()).with("cores", "{ count: 1 }"));
  RawClient client(gateway.port());
  for (int i = 0; i < 3; ++i) {
    client.send(std::string(kExpecting) + "abc");
    CHECK(client.response().status() == 100);
    CHECK(client.response().status() == 200);
  }
  CHECK(backend.connections() == 1);
  for (const auto& request : backend.requests()) CHECK(request.body == "abc");
}

TEST_CASE("an HTTP/1.0 client's Expect is left out, and its body sent at once") {
  Believer backend("HTTP/1.1 100 Continue\r\n\r\n" + std::string(kOk));
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /open HTTP/1.0\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
              "abc");
  CHECK(client.response().status() == 200);  // and no 100 before
  const auto seen = backend.requests();
  REQUIRE(seen.size() == 1);
  CHECK_FALSE(seen[0].field("expect"));
  CHECK(seen[0].body == "abc");
}

TEST_CASE("a refusal of what a client expects reaches it, whoever refuses") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (connection.request_head()) connection.send(response_with(417, "no"));
  });
  GatewayProcess gateway(only_open(backend.port()));
  RawClient by_backend(gateway.port());
  by_backend.send(kExpecting);
  CHECK(by_backend.response("POST").body == "no");
  RawClient by_gateway(gateway.port());
  by_gateway.send("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                  "Expect: 100-continue\r\n\r\n");
  CHECK(by_gateway.response("POST").status() == 404);
  CHECK(ended_without_more(by_gateway));
  CHECK(backend.connections() == 1);
}

TEST_CASE("a backend that never comes to a final answer is a 502") {
  std::string endless;
  for (int i = 0; i < 100; ++i) endless += "HTTP/1.1 103 Early Hints\r\n\r\n";
  Believer backend(endless);
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(kPlain);
  auto answer = client.response();
  int interim = 0;
  for (; answer.status() == 103; answer = client.response()) ++interim;
  CHECK(interim < 100);
  CHECK(answer.status() == 502);
  CHECK(answer.field("segue-error") == "upstream_malformed");
}

// The kernel resets a connection that is closed while bytes are unread, and what was sent last may
// be lost with it.
TEST_CASE("a client that is still sending reads the early answer whole, then an orderly end") {
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.request_head();
    connection.send(response_with(413, std::string(10'000, 'n'), "Connection: close\r\n"));
  });
  GatewayProcess gateway(only_open(backend.port()));
  for (const char* framing : {"Content-Length: 99999999", "Transfer-Encoding: chunked"}) {
    INFO(framing);
    RawClient client(gateway.port());
    client.send(fmt::format("POST /open HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", framing));
    const std::string piece = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    for (int i = 0; i < 20 && !client.socket().readable_now(); ++i)
      client.socket().send_what_is_taken(piece);
    const auto answer = client.response("POST");
    CHECK(answer.status() == 413);
    CHECK(answer.whole);
    CHECK(answer.body.size() == 10'000);
    CHECK(answer.field("connection") == "close");
    client.socket().finish_sending();
    CHECK(client.reader().wait_for_end() == Received::end);
    CHECK(client.reader().rest().empty());
  }
}

TEST_CASE("an answer with Connection: close arrives whole, whatever the client sent behind its request") {
  const std::string body(std::size_t{8} << 20, 'b');
  Believer backend(response_with(200, body));
  GatewayProcess gateway(only_open(backend.port()));
  for (const char* line : {"GET /open HTTP/1.1\r\nConnection: close\r\n", "GET /open HTTP/1.0\r\n"}) {
    INFO(line);
    RawClient client(gateway.port(), 4096);
    std::thread sender([&] {
      client.socket().send_what_is_taken(fmt::format("{}Host: a\r\n\r\n", line) +
                                         std::string(200'000, 'x'));
    });
    const auto answer = client.response();
    sender.join();
    CHECK(answer.whole);
    CHECK(answer.body.size() == body.size());
    client.socket().finish_sending();
    CHECK(client.reader().wait_for_end() == Received::end);
  }
  for (const auto& request : backend.requests()) CHECK(request.target() == "/open");
}

TEST_CASE("a request that is refused with its body still coming: answer, then an orderly end") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()).with("limits", "{ body: 1000B }"));
  RawClient client(gateway.port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n");
  client.socket().send_what_is_taken(std::string(1'000'000, 'x'));
  const auto answer = client.response("POST");
  CHECK(answer.status() == 413);
  CHECK(answer.whole);
  client.socket().finish_sending();
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(backend.connections() == 0);
}

TEST_CASE("a client that ends its sending within a body: no backend takes it for whole") {
  for (const std::string_view framing : {"Content-Length: 10\r\n\r\nabc",
                                         "Content-Length: 100000\r\n\r\nabc",
                                         "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                                         "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"}) {
    INFO(framing);
    Believer backend;
    GatewayProcess gateway(only_open(backend.port()));
    RawClient client(gateway.port());
    client.send(fmt::format("POST /open HTTP/1.1\r\nHost: a\r\n{}", framing));
    client.socket().finish_sending();
    client.reader().wait_for_end();
    CHECK(client.reader().rest().find("HTTP/1.1 2") == std::string::npos);
    CHECK(gateway.stop().exit_code == 0);
    for (const auto& request : backend.requests()) CHECK_FALSE(request.whole);
    const auto exchanges = recorded(gateway.journal());
    REQUIRE(exchanges.size() == 1);
    CHECK(exchanges[0].at("outcome") == "CLIENT_ABORTED");
  }
}

TEST_CASE("a client that ended its sending gets every byte of a long answer") {
  const std::string body(std::size_t{4} << 20, 'b');
  Event half_closed;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    half_closed.wait();
    connection.send(response_with(200, body));
  });
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(kPlain);
  backend.wait_for_requests(1);
  client.socket().finish_sending();
  half_closed.set();
  const auto answer = client.response();
  CHECK(answer.whole);
  CHECK((answer.body == body));
  CHECK(client.reader().wait_for_end() == Received::end);
}

TEST_CASE("a client that goes before its answer is counted as a request, too") {
  Event gone;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    gone.wait();
    connection.reader().wait_for_end();
  });
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(kPlain);
  backend.wait_for_requests(1);
  client.socket().reset();
  gone.set();
  gateway.wait_for_metric("segue_client_aborts_total", {}, 1);
  gateway.wait_for_metric("http_server_request_duration_seconds_count", {"segue_route=\"open\""},
                          1);
}

}  // namespace
}  // namespace segue::test
