#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n";

TEST_CASE("keep-alive on both sides: many exchanges, one connection each way") {
  ScriptedBackend backend(answer_always(response_with(200, "hello")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  for (int i = 0; i < 50; ++i) {
    const auto answer = client.get(fmt::format("/{}", i));
    REQUIRE(answer.status() == 200);
    REQUIRE(answer.body == "hello");
  }
  CHECK(backend.connections() == 1);
  CHECK(backend.requests().size() == 50);
}

TEST_CASE("pipelined requests are answered in their order") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      connection.send(response_with(200, request->target()));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += fmt::format("POST /{} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", i);
  }
  client.send(requests);
  for (int i = 0; i < 20; ++i) CHECK(client.response().body == fmt::format("/{}", i));
}

TEST_CASE("a request that comes byte by byte is forwarded whole") {
  ScriptedBackend backend(answer_always(response_with(200, "ok")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const std::string_view request =
      "POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (const char byte : request) client.send({&byte, 1});
  CHECK(client.response().status() == 200);
  const auto seen = backend.wait_for_requests(1);
  CHECK(seen[0].body == "abcde");
}

TEST_CASE("chunked both ways: content passes, extensions and trailers do not") {
  ScriptedBackend backend(
      answer_always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
                    "5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nx-sum: 1\r\n\r\n"));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.exchange(
      "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n"
      "4;a=b\r\nWiki\r\n0\r\nx-t: secret\r\n\r\n");
  CHECK(answer.whole);
  CHECK(answer.chunked);
  CHECK(answer.body == "hello world");
  CHECK_FALSE(answer.field("trailer"));
  CHECK_FALSE(answer.field("trailer-line"));
  const auto seen = backend.wait_for_requests(1)[0];
  CHECK(seen.body == "Wiki");
  CHECK_FALSE(seen.field("trailer"));
  CHECK_FALSE(seen.field("trailer-line"));
}

TEST_CASE("HEAD, 204 and 304 have no body, and the connections go on") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->method() == "HEAD") {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
      } else if (request->target() == "/204") {
        connection.send("HTTP/1.1 204 No Content\r\n\r\n");
      } else if (request->target() == "/304") {
        connection.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: \"e\"\r\n\r\n");
      } else {
        connection.send(response_with(200, "body"));
      }
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto head = client.exchange("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(head.status() == 200);
  CHECK(head.field("content-length") == "1234");
  const auto empty = client.get("/204");
  CHECK(empty.status() == 204);
  CHECK_FALSE(empty.field("content-length"));
  CHECK_FALSE(empty.field("transfer-encoding"));
  const auto same = client.get("/304");
  CHECK(same.status() == 304);
  CHECK(same.field("etag") == "\"e\"");
  CHECK(client.get("/last").body == "body");
  CHECK(backend.connections() == 1);
}

TEST_CASE("a 204 with Content-Length 0 loses it") {
  ScriptedBackend backend(answer_always("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  CHECK_FALSE(client.get("/").field("content-length"));
  CHECK(client.get("/").status() == 204);
}

TEST_CASE("an HTTP/1.0 client gets no chunks, and its connection ends") {
  ScriptedBackend backend(
      answer_always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.exchange("GET /old HTTP/1.0\r\nHost: a\r\n\r\n");
  CHECK(answer.status() == 200);
  CHECK_FALSE(answer.chunked);
  CHECK(answer.body == "abc");
  CHECK(backend.requests()[0].start_line == "GET /old HTTP/1.1");
}

TEST_CASE("a response that ends with its connection is passed on whole") {
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end");
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.get("/");
  CHECK(answer.whole);
  CHECK(answer.body == "until the end");
  CHECK(client.get("/again").body == "until the end");
}

TEST_CASE("Connection: close of the client is obeyed") {
  ScriptedBackend backend(answer_always(response_with(200, "bye")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.get("/", "Connection: close\r\n");
  CHECK(answer.field("connection") == "close");
  CHECK(client.reader().wait_for_end() == Received::end);
}

TEST_CASE("a client that ended its sending still gets its answer") {
  Event half_closed;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    half_closed.wait();
    connection.send(response_with(200, "still here"));
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send(kGet);
  client.socket().finish_sending();
  backend.wait_for_requests(1);
  half_closed.set();
  CHECK(client.response().body == "still here");
}

TEST_CASE("hop-by-hop and nominated fields stay on their side") {
  ScriptedBackend backend(answer_always(response_with(
      200, "x",
      "Connection: keep-alive, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\n"
      "Proxy-Authenticate: Basic\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Kept: yes\r\n")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.get(
      "/",
      "Connection: X-Hop, Host, X-Forwarded-For\r\nX-Hop: 1\r\nTE: trailers\r\n"
      "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nKeep-Alive: 3\r\n"
      "HTTP2-Settings: AAA\r\nAccept: text/html\r\nAccept: */*\r\nwith_underscore: 1\r\n"
      "Segue-Anything: forged\r\n");
  CHECK(answer.status() == 200);
  CHECK_FALSE(answer.field("x-private"));
  CHECK_FALSE(answer.field("keep-alive"));
  CHECK_FALSE(answer.field("proxy-authenticate"));
  CHECK(answer.count("set-cookie") == 2);
  CHECK(answer.field("x-kept") == "yes");
  const auto seen = backend.requests().at(0);
  for (const char* name : {"x-hop", "te", "proxy-connection", "proxy-authorization", "keep-alive",
                           "http2-settings", "with_underscore", "segue-anything", "upgrade"}) {
    INFO(name);
    CHECK_FALSE(seen.field(name));
  }
  CHECK(seen.field("host") == "shop.example");  // a nomination of Host is ignored
  CHECK(seen.count("accept") == 2);
}

TEST_CASE("Via and Forwarded say who passed the message on; a stranger's claims are replaced") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.get("/",
                                 "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n"
                                 "Forwarded: for=203.0.113.9\r\nVia: 1.1 before\r\n");
  CHECK(answer.field("via").value_or("").find("segue") != std::string::npos);
  const auto seen = backend.requests().at(0);
  CHECK(seen.field("x-forwarded-for") == "127.0.0.1");
  CHECK(seen.field("x-forwarded-proto") == "http");
  CHECK(seen.raw_head.find("203.0.113.9") == std::string::npos);
  CHECK(seen.field("forwarded").value_or("").find("127.0.0.1") != std::string::npos);
  CHECK(seen.raw_head.find("1.1 before") != std::string::npos);
  CHECK(seen.raw_head.find("segue") != std::string::npos);
}

TEST_CASE("a trusted proxy's X-Forwarded-For is appended to") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  auto config = all_to(backend.port());
  config.listener("trusted_proxies: [127.0.0.0/8]");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/", "X-Forwarded-For: 203.0.113.9\r\n");
  CHECK(backend.requests().at(0).field("x-forwarded-for") == "203.0.113.9, 127.0.0.1");
}

TEST_CASE("the target's raw bytes and the client's Host reach the backend as they came") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.get("/a%20b/%e2%82%ac?q=1&q=%2F+x");
  client.exchange("GET http://other.example/abs?x HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  const auto seen = backend.requests();
  CHECK(seen.at(0).target() == "/a%20b/%e2%82%ac?q=1&q=%2F+x");
  CHECK(seen.at(0).field("host") == "shop.example");
  CHECK(seen.at(1).target() == "/abs?x");
  CHECK(seen.at(1).field("host") == "other.example");
}

TEST_CASE("Expect: 100-continue is forwarded and 100 relayed, then the body follows") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (auto request = connection.request_head()) {
      connection.send("HTTP/1.1 100 Continue\r\n\r\n");
      connection.reader().body(*request);
      connection.send(response_with(200, request->body));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.response().status() == 100);
  client.send("abcde");
  const auto answer = client.response();
  CHECK(answer.status() == 200);
  CHECK(answer.body == "abcde");
  CHECK(backend.requests().at(0).field("expect").has_value());
}

TEST_CASE("a final status instead of 100 is sent, and that upstream connection is not used again") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request_head()) {
      connection.send(request->method() == "POST" ? response_with(413, "too big")
                                                  : response_with(200, "fine"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.response().status() == 413);
  RawClient other(gateway.port());
  CHECK(other.get("/").body == "fine");
  CHECK(backend.connections() == 2);
}

TEST_CASE("early hints are relayed to HTTP/1.1 and kept from HTTP/1.0") {
  ScriptedBackend backend(answer_always("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n" +
                                        response_with(200, "page")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient modern(gateway.port());
  modern.send(kGet);
  CHECK(modern.response().status() == 103);
  CHECK(modern.response().body == "page");
  RawClient old(gateway.port());
  CHECK(old.exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n").status() == 200);
}

TEST_CASE("a final response that comes before the upload ends is sent at once") {
  Event answered;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request_head();
    connection.send(response_with(403, "no", "Connection: close\r\n"));
    answered.wait();
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\nfirst");
  const auto answer = client.response();
  answered.set();
  CHECK(answer.status() == 403);
  CHECK(answer.body == "no");
}

TEST_CASE("OPTIONS * and Max-Forwards: 0 are answered here") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  CHECK(client.exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status() / 100 == 2);
  CHECK(client.exchange("OPTIONS /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n").status() /
            100 ==
        2);
  CHECK(backend.requests().empty());
}

TEST_CASE("a service name that is no token does not stand in Via") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  auto config = all_to(backend.port());
  config.with("service", "{ name: \"my shop\\r\\nX-Injected: 1\" }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto answer = client.get("/");
  CHECK(answer.status() == 200);
  CHECK_FALSE(answer.field("x-injected").has_value());
  CHECK(answer.field("via").value_or("").find("segue") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
