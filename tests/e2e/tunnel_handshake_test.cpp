// The handshake of a WebSocket through the gateway, byte by byte: what is one and what stays HTTP.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/e2e/http_cases.hpp"
#include "tests/e2e/shadowed.hpp"
#include "tests/e2e/tunnels.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kAtBackend =
    "GET /open HTTP/1.1\r\nHost: a\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Via: 1.1 segue\r\nForwarded: for=127.0.0.1;host=\"a\";proto=http\r\n"
    "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n";
constexpr std::string_view kAtClient =
    "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

TEST_CASE("a WebSocket is opened with the gateway's own Connection and Upgrade on both sides") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(tunnels_to(backend.port()));
  RawClient client(gateway.port());
  client.send(
      "GET /open HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, UPGRADE, X-Mine\r\nX-Mine: 1\r\n"
      "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const auto head = client.reader().head();
  REQUIRE(head);
  CHECK(head->raw_head == kAtClient);
  CHECK(backend.requests().at(0).raw_head == kAtBackend);
  client.send("hello");
  CHECK(client.reader().some(5) == "hello");
  CHECK(gateway.metric("segue_backend_tunnels", {"segue_backend=\"legacy\""}) == 1);
  client.socket().finish_sending();
  CHECK(client.reader().wait_for_end() == Received::end);
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "COMPLETED");
  CHECK(bytes_of(exchange) == "5/5");
  CHECK(recorded_header(exchange.at("request").as_object(), "upgrade") == "WebSocket");
  for (const char* way : {"direction=\"from_client\"", "direction=\"to_client\""})
    CHECK(gateway.metric("segue_backend_tunnel_bytes_total", {way}) == 5);
}

struct HandshakeCase {
  std::string_view name;
  std::string_view request;
};

TEST_CASE("what is no plain request for one WebSocket stays HTTP, its Upgrade stripped") {
  const std::vector<HandshakeCase> rows = {
      {"a choice of protocols",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n"},
      {"two Upgrade fields",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Upgrade: websocket\r\n\r\n"},
      {"a version of it",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket/13\r\n\r\n"},
      {"another protocol",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"},
      {"HTTP/2 in clear",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
       "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"},
      {"one that Connection does not nominate",
       "GET /open HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n"},
      {"another method",
       "POST /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Content-Length: 0\r\n\r\n"},
      {"a body",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Content-Length: 1\r\n\r\nx"},
      {"a chunked body",
       "GET /open HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
       "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"},
      {"HTTP/1.0",
       "GET /open HTTP/1.0\r\nHost: a\r\nConnection: Upgrade, keep-alive\r\n"
       "Upgrade: websocket\r\n\r\n"},
  };
  Believer backend;
  GatewayProcess gateway(tunnels_to(backend.port()));
  for (const auto& row : rows) {
    INFO(row.name);
    RawClient client(gateway.port());
    CHECK(client.exchange(row.request).status() == 200);
    CHECK(client.get("/open").status() == 200);  // the connection goes on
    const auto request = backend.requests().end()[-2];
    CHECK_FALSE(request.field("upgrade"));
    CHECK_FALSE(request.field("http2-settings"));
    CHECK_FALSE(request.field("connection"));
  }
  CHECK(gateway.metric("segue_backend_tunnels_total") == 0);
}

TEST_CASE("on a route without upgrade a handshake is stripped, and a 101 is a 502") {
  Believer backend{std::string(kAgreement)};
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  CHECK(client.exchange(kHandshake).status() == 502);
  CHECK_FALSE(backend.requests().at(0).field("upgrade"));
  CHECK_FALSE(backend.requests().at(0).field("connection"));
}

TEST_CASE("a 101 that is no agreement to a WebSocket is a 502, and opens no tunnel") {
  const std::vector<HandshakeCase> rows = {
      {"no Upgrade", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"},
      {"another protocol",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n"},
      {"two protocols",
       "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket, "
       "foo\r\n\r\n"},
      {"not nominated by Connection",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"},
      {"HTTP/1.0",
       "HTTP/1.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    Believer backend{std::string(row.request)};
    GatewayProcess gateway(tunnels_to(backend.port()));
    RawClient client(gateway.port());
    client.send(fmt::format("{}{}", kHandshake, kHidden));
    const auto answers = statuses(client, 2);
    REQUIRE_FALSE(answers.empty());
    CHECK(answers[0] == 502);
    for (const int status : answers) CHECK(status >= 400);
    gateway.stop();
    CHECK(backend.lines() == Lines{"GET /open HTTP/1.1"});
    CHECK(backend.stray().empty());
  }
}

// Pingora passed on what followed an upgrade request before anybody had agreed to the upgrade.
TEST_CASE("CVE-2026-2833: what follows a handshake that is accepted is held until the 101") {
  Event asked;
  Event agree;
  std::string before;
  std::string after;
  ScriptedBackend backend([&](BackendConnection& connection) {
    const auto request = connection.request_head();
    if (!request || request->target() != "/open") return connection.send(response_with(200, "x"));
    asked.set();
    agree.wait();
    if (connection.socket().readable_now()) before = connection.reader().some(1);
    before += connection.reader().rest();
    connection.send(kAgreement);
    after = connection.reader().some(kHidden.size());
  });
  GatewayProcess gateway(tunnels_to(backend.port()));
  RawClient client(gateway.port());
  client.send(fmt::format("{}{}", kHandshake, kHidden));
  asked.wait();
  RawClient other(gateway.port());  // the gateway's core has been through its loop since
  CHECK(other.get("/open/other", "Connection: close\r\n").status() == 200);
  agree.set();
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(client.reader().rest() == kAtClient);
  client.socket().close();
  gateway.stop();
  CHECK(before.empty());
  CHECK(after == kHidden);
}

TEST_CASE("CVE-2026-2833: what follows a handshake that is refused is the next request") {
  for (const int status : {400, 403, 426, 500}) {
    INFO(status);
    Believer backend(response_with(status, "no"));
    GatewayProcess gateway(tunnels_to(backend.port()));
    RawClient client(gateway.port());
    client.send(fmt::format("{}{}", kHandshake, kHidden));
    CHECK(statuses(client, 2) == std::vector<int>{status, 404});
    CHECK(client.get("/open/after").status() == status);
    CHECK(backend.lines() == Lines{"GET /open HTTP/1.1", "GET /open/after HTTP/1.1"});
    CHECK(backend.connections() == 2);  // the one that was asked to switch is not used again
    gateway.stop();
    CHECK(backend.stray().empty());
  }
}

// Envoy took any answer, a 200 as well, for consent to an upgrade, and went over to tunnelling.
TEST_CASE("CVE-2024-23326: a 200 to a handshake stays HTTP, whatever its fields say") {
  Believer backend(
      "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n"
      "ok");
  GatewayProcess gateway(tunnels_to(backend.port()));
  RawClient client(gateway.port());
  const auto answer = client.exchange(kHandshake);
  CHECK(answer.status() == 200);
  CHECK(answer.body == "ok");
  CHECK_FALSE(answer.field("upgrade"));
  client.send(kHidden);
  CHECK(client.response().status() == 404);
  CHECK(client.exchange(kHandshake).status() == 200);
  CHECK(backend.lines() == Lines{"GET /open HTTP/1.1", "GET /open HTTP/1.1"});
  CHECK(backend.connections() == 2);
  CHECK(gateway.metric("segue_backend_tunnels_total") == 0);
  gateway.stop();
  CHECK(backend.stray().empty());
}

TEST_CASE("CVE-2024-23326: behind a 101 that was asked for nothing is read as HTTP") {
  std::string heard;
  ScriptedBackend backend([&](BackendConnection& connection) {
    if (!connection.request_head()) return;
    connection.send(fmt::format("{}{}", kAgreement, response_with(200, "forged")));
    heard = connection.reader().some(kHidden.size());
  });
  GatewayProcess gateway(tunnels_to(backend.port()));
  RawClient client(gateway.port());
  client.send(kHandshake);
  const auto wanted = fmt::format("{}{}", kAtClient, response_with(200, "forged"));
  CHECK(client.reader().some(wanted.size()) == wanted);
  client.send(kHidden);
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(client.reader().rest().empty());
  client.socket().close();
  CHECK(heard == kHidden);
  CHECK(bytes_of(ended_tunnel(gateway)) ==
        fmt::format("{}/{}", kHidden.size(), response_with(200, "forged").size()));
}

TEST_CASE("interim answers come before the 101, and are on record with it") {
  ScriptedBackend backend([](BackendConnection& connection) {
    if (!connection.request_head()) return;
    connection.send(fmt::format("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{}", kAgreement));
  });
  GatewayProcess gateway(tunnels_to(backend.port()));
  RawClient client(gateway.port());
  client.send(kHandshake);
  client.reader().wait_for_end();
  CHECK(client.reader().rest() ==
        fmt::format("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n{}", kAtClient));
  client.socket().close();
  CHECK(ended_tunnel(gateway).at("response").at("interim").as_array().size() == 1);
}

TEST_CASE("a handshake takes no pooled connection and is never sent twice") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->field("upgrade")) return;
      connection.send(response_with(200, "x"));
    }
  });
  GatewayProcess gateway(tunnels_to(backend.port()));
  RawClient client(gateway.port());
  CHECK(client.get("/open").status() == 200);
  CHECK(client.exchange(kHandshake).status() == 502);
  CHECK(backend.requests().size() == 2);
  CHECK(backend.connections() == 2);
}

TEST_CASE("a handshake has no shadow, and the record says why") {
  ScriptedBackend backend(echo);
  ScriptedBackend copies(answer_always(response_with(200, "x")));
  ConfigText config;
  config.with("cores", "{ count: 1 }").backend("legacy", backend.port());
  config.backend("new", copies.port());
  config.route("open",
               "{ match: { prefix: /open }, to: legacy, upgrade: [websocket], "
               "shadow: { to: new, percent: 100 } }");
  GatewayProcess gateway(config);
  {
    TunnelClient client(gateway.port());
    CHECK(client.ask("x") == "x");
  }
  CHECK(said_of_shadow(ended_tunnel(gateway)) == "skipped_upgrade");
  CHECK(shadows(gateway, "skipped_upgrade") == 1);
  CHECK(copies.connections() == 0);
}

TEST_CASE("a handshake on record is redacted like every exchange") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(
      tunnels_to(backend.port(), ", record: { redact: { headers: [sec-websocket-key] } }"));
  TunnelClient(gateway.port()).ask("x");
  const auto exchange = ended_tunnel(gateway);
  CHECK(recorded_header(exchange.at("request").as_object(), "sec-websocket-key") == "***");
  CHECK(recorded_header(exchange.at("response").as_object(), "sec-websocket-accept") ==
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace segue::test
