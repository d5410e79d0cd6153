// Incidents of other gateways, by their CVE numbers: the bytes that did the damage there, sent
// through this one, with a look at what the client got and at what the backend heard.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/http_cases.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

using Lines = std::vector<std::string>;

const char* const kAfter = "GET /open/after HTTP/1.1\r\nHost: a\r\n\r\n";

// Handshakes of protocols that a client may ask to switch to.
const std::vector<std::string> kUpgrades = {
    "Connection: Upgrade\r\nUpgrade: foo\r\n",
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
};

// Pingora passed on what followed an upgrade request before anybody had agreed to the upgrade.
TEST_CASE("CVE-2026-2833: what follows an upgrade request is no tunnel before a 101") {
  for (const auto& upgrade : kUpgrades) {
    INFO(upgrade);
    Believer backend;
    GatewayProcess gateway(only_open(backend.port()));
    RawClient client(gateway.port());
    client.send(fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n{}", upgrade, kHidden));
    const auto answers = statuses(client, 2);
    REQUIRE_FALSE(answers.empty());
    CHECK(answers[0] == 200);
    if (answers.size() > 1) CHECK(answers[1] >= 400);
    RawClient other(gateway.port());
    CHECK(other.exchange(kAfter).status() == 200);
    CHECK(backend.lines() == Lines{"GET /open HTTP/1.1", "GET /open/after HTTP/1.1"});
    gateway.stop();
    CHECK(backend.stray().empty());
  }
}

// Envoy took any answer, a 200 as well, for consent to an upgrade, and went over to tunnelling.
TEST_CASE("CVE-2024-23326: a 200 is no consent to an upgrade") {
  for (const auto& upgrade : kUpgrades) {
    INFO(upgrade);
    Believer backend(
        "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
        "Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    GatewayProcess gateway(only_open(backend.port()));
    RawClient client(gateway.port());
    const auto answer =
        client.exchange(fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n", upgrade));
    CHECK(answer.status() == 200);
    CHECK(answer.body == "ok");
    CHECK_FALSE(answer.field("upgrade"));
    client.socket().send_what_is_taken(kHidden);
    for (const int status : statuses(client, 1)) CHECK(status == 404);
    CHECK(client.reader().rest().find("forged") == std::string::npos);
    RawClient other(gateway.port());
    CHECK(other.exchange(kAfter).body == "ok");
    CHECK(backend.lines() == Lines{"GET /open HTTP/1.1", "GET /open/after HTTP/1.1"});
    CHECK(backend.connections() == 2);  // the first one had bytes beyond its answer
    gateway.stop();
    CHECK(backend.stray().empty());
  }
}

TEST_CASE("CVE-2024-23326: a 101 that nobody asked for opens no tunnel") {
  Believer backend(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n");
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n\r\n{}", kHidden));
  for (const int status : statuses(client, 2)) CHECK(status >= 400);
  gateway.stop();
  for (const auto& line : backend.lines()) CHECK(line == "GET /open HTTP/1.1");
  CHECK(backend.stray().empty());
}

// Pingora read the body of an HTTP/1.0 request to the end of the connection, and one with several
// codings by whatever it understood of them.
TEST_CASE("CVE-2026-2835: a coding in HTTP/1.0 and several codings are refused") {
  const std::vector<std::string> heads = {
      "POST /open HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n",
      "POST /open HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
      "POST /open HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: identity\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity, chunked\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Transfer-Encoding: identity\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n"
      "Transfer-Encoding: chunked\r\n",
      "POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Transfer-Encoding: chunked\r\n",
  };
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  for (const auto& head : heads) {
    INFO(head);
    RawClient client(gateway.port());
    client.socket().send_what_is_taken(head + "\r\n0\r\n\r\n" + std::string(kHidden));
    const auto answer = client.response();
    CHECK((answer.status() == 400 || answer.status() == 501));
    CHECK(ended_without_more(client));
  }
  CHECK(backend.connections() == 0);
}

TEST_CASE("CVE-2026-2835: an HTTP/1.0 request without a length has no body") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(
      fmt::format("POST /open HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n{}", kHidden));
  CHECK(statuses(client, 2) == std::vector{200, 404});
  CHECK(backend.lines() == Lines{"POST /open HTTP/1.1"});
  CHECK(backend.requests().at(0).body.empty());
}

// Pingora answered without reading the request's body, and read that as the next request.
TEST_CASE("CVE-2025-4366: the body of a request that is answered here is no next request") {
  const std::string hidden = "GET /open/hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto length = fmt::format("Content-Length: {}\r\n\r\n", hidden.size());
  const auto chunk = fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", hidden.size(), hidden);
  const std::vector<std::pair<std::string, std::string>> requests = {
      {"POST /nowhere HTTP/1.1\r\nHost: a\r\n" + length, hidden},
      {"POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", chunk},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n" + length, hidden},
      {"OPTIONS /open HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n" + length, hidden},
      {"OPTIONS /open HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
       chunk},
      {"GET /open/%zz HTTP/1.1\r\nHost: a\r\n" + length, hidden},
  };
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  Lines expected;
  const auto go_on = [&](RawClient& client) {
    client.socket().send_what_is_taken(kAfter);
    const auto more = statuses(client, 1);
    if (!more.empty()) expected.emplace_back("GET /open/after HTTP/1.1");
    CHECK(backend.lines() == expected);
  };
  for (const auto& [head, body] : requests) {
    INFO(head);
    RawClient at_once(gateway.port());
    at_once.socket().send_what_is_taken(head + body);
    CHECK(statuses(at_once, 1).size() == 1);
    go_on(at_once);
    RawClient body_later(gateway.port());
    body_later.send(head);
    CHECK(statuses(body_later, 1).size() == 1);
    body_later.socket().send_what_is_taken(body);
    go_on(body_later);
  }
}

// HAProxy ended the list of fields at one with an empty name, and lost those behind it.
TEST_CASE("CVE-2023-25725: a field without a name is refused, in requests and in answers") {
  Believer backend("HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\nok");
  GatewayProcess gateway(only_open(backend.port()));
  for (const char* field : {": x\r\n", ":\r\n", ": \r\n", ":Transfer-Encoding: chunked\r\n"}) {
    INFO(field);
    RawClient client(gateway.port());
    client.socket().send_what_is_taken(
        fmt::format("POST /open HTTP/1.1\r\nHost: a\r\n{}Content-Length: {}\r\n\r\n{}", field,
                    kHidden.size(), kHidden));
    CHECK(client.response().status() == 400);
    CHECK(ended_without_more(client));
  }
  CHECK(backend.connections() == 0);
  RawClient client(gateway.port());
  CHECK(client.exchange(kAfter).status() == 502);
}

// HAProxy kept the length of a name in 8 bits: a name of 270 bytes became a Content-Length of 0.
TEST_CASE("CVE-2021-40346: a long name that begins like Content-Length frames nothing") {
  const std::string name = "Content-Length0" + std::string(255, 'a');
  const auto body = fmt::format("{}X-Hide: ", kHidden.substr(0, kHidden.size() - 2));
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send(fmt::format("POST /open HTTP/1.1\r\nHost: a\r\n{}:\r\nContent-Length: {}\r\n\r\n{}{}",
                          name, body.size(), body, kAfter));
  CHECK(statuses(client, 2) == std::vector{200, 200});
  const auto seen = backend.requests();
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].body == body);
  CHECK(seen[0].count("content-length") == 1);
  CHECK(seen[0].raw_head.find(name + ":\r\n") != std::string::npos);
  CHECK(seen[1].start_line == "GET /open/after HTTP/1.1");
}

// Fabio let clients nominate in Connection, and so remove, what it adds itself.
TEST_CASE("CVE-2025-48865: X-Forwarded fields cannot be nominated away") {
  const char* const request =
      "GET /open HTTP/1.1\r\nHost: a\r\nConnection: X-Forwarded-For, x-forwarded-host, "
      "X-Forwarded-Proto, X-Forwarded-Port, X-Real-IP, Forwarded, Via, Authorization, Cookie, "
      "Host, close\r\nX-Forwarded-Port: 8443\r\nX-Real-IP: 203.0.113.7\r\n"
      "Authorization: Basic eA==\r\nCookie: a=b\r\n\r\n";
  for (const bool trusted : {false, true}) {
    INFO("trusted " << trusted);
    Believer backend;
    auto config = only_open(backend.port());
    if (trusted) config.listener("trusted_proxies: [127.0.0.0/8]");
    GatewayProcess gateway(config);
    RawClient client(gateway.port());
    CHECK(client.exchange(request).status() == 200);
    const auto seen = backend.requests().at(0);
    CHECK(seen.field("x-forwarded-for") == "127.0.0.1");
    CHECK(seen.field("x-forwarded-host") == "a");
    CHECK(seen.field("x-forwarded-proto") == "http");
    // A stranger may not say these at all.
    CHECK(seen.field("x-forwarded-port").value_or("none") == (trusted ? "8443" : "none"));
    CHECK(seen.field("x-real-ip").value_or("none") == (trusted ? "203.0.113.7" : "none"));
    for (const char* name : {"forwarded", "via", "authorization", "cookie", "host"}) {
      INFO(name);
      CHECK(seen.count(name) == 1);
    }
  }
}

// oauth2-proxy removed X-Forwarded-User but not X_Forwarded_User, which applications take for it.
TEST_CASE("CVE-2025-64484: the twin with an underscore of a field that counts goes nowhere") {
  const char* const request =
      "GET /open HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 203.0.113.7\r\nX_Forwarded-Host: evil\r\n"
      "X-Forwarded_User: root\r\nX_Auth_Request_User: root\r\nREMOTE_USER: root\r\n"
      "Content_Length: 5\r\nTransfer_Encoding: chunked\r\nSegue_Anything: forged\r\n\r\n";
  for (const char* underscores : {"drop", "forward"}) {
    INFO(underscores);
    Believer backend;
    auto config = only_open(backend.port());
    config.listener(fmt::format("underscore_names: {}", underscores));
    GatewayProcess gateway(config);
    RawClient client(gateway.port());
    CHECK(client.exchange(request).status() == 200);
    const auto seen = backend.requests().at(0);
    CHECK(seen.raw_head.find('_') == std::string::npos);
    CHECK(seen.raw_head.find("203.0.113.7") == std::string::npos);
    CHECK(seen.raw_head.find("root") == std::string::npos);
  }
}

// Go's client reused a connection on which it had announced a body that it then never sent.
TEST_CASE("CVE-2024-24791: a final answer to Expect: 100-continue ends that upstream connection") {
  for (const int status : {200, 401, 413, 417}) {
    INFO(status);
    ScriptedBackend backend([&](BackendConnection& connection) {
      while (connection.request_head()) connection.send(response_with(status, "early"));
    });
    GatewayProcess gateway(only_open(backend.port()));
    RawClient client(gateway.port());
    client.send(fmt::format(
        "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        kHidden.size()));
    CHECK(client.response().status() == status);
    client.socket().send_what_is_taken(kHidden);  // as the body that was announced
    RawClient other(gateway.port());
    for (int i = 0; i < 2; ++i) CHECK(other.exchange(kAfter).status() == status);
    const auto seen = backend.requests();
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].start_line == "POST /open HTTP/1.1");
    CHECK(seen[1].start_line == "GET /open/after HTTP/1.1");
    CHECK(seen[2].start_line == "GET /open/after HTTP/1.1");
    CHECK(backend.connections() == 2);
  }
}

// nginx took plain bytes that came from a TLS upstream before its handshake for the answer.
TEST_CASE("CVE-2026-1642: plain bytes before the handshake are never an answer") {
  const Certificate certificate("inner.test");
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.send(response_with(200, "injected"));
    connection.reader().wait_for_end();
  });
  GatewayProcess gateway(only_open(
      backend.port(),
      fmt::format("tls: {{ ca: {}, server_name: inner.test }}", certificate.certificate_file())));
  RawClient client(gateway.port());
  const auto answer = client.exchange("GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(answer.status() == 502);
  CHECK(answer.field("segue-error").has_value());
  CHECK(answer.body.find("injected") == std::string::npos);
}

TEST_CASE("CVE-2026-1642: a client's plain bytes before the handshake are never a request") {
  const Certificate certificate("inner.test");
  Believer backend;
  auto config = only_open(backend.port());
  config.listener(fmt::format("tls: {{ certificates: [{{ cert: {}, key: {{ file: {} }} }}] }}",
                              certificate.certificate_file(), certificate.key_file()));
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.socket().send_what_is_taken("GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
  client.reader().wait_for_end();
  CHECK(client.reader().rest().find("HTTP/1.1 200") == std::string::npos);
  CHECK(backend.connections() == 0);
}

}  // namespace
}  // namespace segue::test
