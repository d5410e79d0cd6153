// Header rules of routes: what a backend gets of a request, and a client of an answer, as bytes.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>

#include "tests/e2e/http_cases.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kAdded =
    "Via: 1.1 segue\r\nForwarded: for=127.0.0.1;host=\"a\";proto=http\r\n"
    "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n";

ConfigText with_rules(std::uint16_t port, std::string_view rules, std::string_view listener = {}) {
  ConfigText config;
  config.backend("legacy", port);
  config.route("all", "{ match: { prefix: / }, to: legacy, " + std::string(rules) + " }");
  if (!listener.empty()) config.listener(listener);
  return config;
}

// What a backend is sent of this head.
std::string at_backend(std::string_view rules, std::string_view request,
                       std::string_view listener = {}) {
  Believer backend;
  GatewayProcess gateway(with_rules(backend.port(), rules, listener));
  RawClient client(gateway.port());
  client.exchange(request);
  const auto seen = backend.requests();
  REQUIRE(seen.size() == 1);
  return seen[0].raw_head;
}

// What a client is sent of this answer, but for the Date that it lacks.
std::string at_client(std::string_view rules, std::string_view answer) {
  Believer backend{std::string(answer)};
  GatewayProcess gateway(with_rules(backend.port(), rules));
  RawClient client(gateway.port());
  return undated(client.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").raw_head);
}

TEST_CASE("request fields are removed however they are spelt, and set ones come once, behind") {
  CHECK(at_backend("request_headers: { set: { X-User: me, X-New: n }, remove: [Cookie, x-secret] }",
                   "GET / HTTP/1.1\r\nHost: a\r\nX-USER: you\r\nA: 1\r\ncookie: b=c\r\n"
                   "x-user: them\r\nX-Secret: s\r\nX-Secrets: kept\r\nB: 2\r\n\r\n") ==
        "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nX-Secrets: kept\r\nB: 2\r\n"
        "X-User: me\r\nX-New: n\r\n" +
            std::string(kAdded));
}

TEST_CASE("a twin with underscores does not get past a rule") {
  CHECK(at_backend("request_headers: { set: { X-User: me }, remove: [api-key] }",
                   "GET / HTTP/1.1\r\nHost: a\r\nX_User: you\r\nAPI_KEY: k\r\nX_Else: e\r\n\r\n",
                   "underscore_names: forward") ==
        "GET / HTTP/1.1\r\nHost: a\r\nX_Else: e\r\nX-User: me\r\n" + std::string(kAdded));
  CHECK(at_client("response_headers: { remove: [x-powered-by] }",
                  "HTTP/1.1 200 OK\r\nX_Powered_By: php\r\nContent-Length: 1\r\n\r\nx") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nVia: 1.1 segue\r\n\r\n");
}

TEST_CASE("a client cannot nominate away what a route sets") {
  CHECK(at_backend("request_headers: { set: { X-User: me } }",
                   "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-User\r\nX-User: you\r\n\r\n") ==
        "GET / HTTP/1.1\r\nHost: a\r\nX-User: me\r\n" + std::string(kAdded));
}

TEST_CASE("a backend may go without what the gateway says of the client") {
  constexpr std::string_view kRules =
      "request_headers: { remove: [forwarded, x-forwarded-for, X-Forwarded-Host] }";
  constexpr std::string_view kRequest =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Host: b\r\n\r\n";
  constexpr std::string_view kSeen =
      "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 segue\r\nX-Forwarded-Proto: http\r\n\r\n";
  CHECK(at_backend(kRules, kRequest) == kSeen);
  CHECK(at_backend(kRules, kRequest, "trusted_proxies: [127.0.0.1]") == kSeen);
}

TEST_CASE("response fields are removed and set, every Set-Cookie of them, and others keep their order") {
  CHECK(at_client("response_headers: { set: { X-Frame-Options: DENY }, remove: [Set-Cookie, server] }",
                  "HTTP/1.1 200 OK\r\nServer: php\r\nset-cookie: a=1\r\nX: 1\r\nSET-COOKIE: b=2\r\n"
                  "x-frame-options: ALLOWALL\r\nContent-Length: 1\r\nY: 2\r\n\r\nx") ==
        "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 1\r\nY: 2\r\nX-Frame-Options: DENY\r\n"
        "Via: 1.1 segue\r\n\r\n");
  CHECK(at_client("response_headers: { remove: [via] }",
                  "HTTP/1.1 200 OK\r\nVia: 1.1 php\r\nContent-Length: 1\r\n\r\nx") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n");
}

TEST_CASE("strict transport security is not sent over plain HTTP, not even a backend's") {
  CHECK(at_client("response_headers: { set: { Strict-Transport-Security: max-age=1, X-A: a } }",
                  "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=9\r\n"
                  "Content-Length: 1\r\n\r\nx") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nX-A: a\r\nVia: 1.1 segue\r\n\r\n");
}

TEST_CASE("an interim answer loses what is removed and gets nothing that is set") {
  Believer backend{
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nServer: php\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"};
  GatewayProcess gateway(with_rules(
      backend.port(), "response_headers: { set: { X-A: a }, remove: [server] }"));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.response().raw_head == "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  CHECK(client.response().field("x-a") == "a");
}

TEST_CASE("an answer of the gateway's own carries what the route sets, and stays what it is") {
  GatewayProcess gateway(with_rules(
      closed_port(), "response_headers: { set: { X-A: a, Content-Type: text/plain } }"));
  RawClient client(gateway.port());
  const auto answer = client.get("/");
  CHECK(answer.status() == 502);
  CHECK(answer.field("x-a") == "a");
  CHECK(answer.count("content-type") == 1);
  CHECK(answer.field("content-type") == "application/json");
  CHECK(answer.field("segue-error").has_value());
}

TEST_CASE("what a route says itself is changed by its header rules as a backend's answer would be") {
  ConfigText config;
  config.backend("legacy", closed_port())
      .route("own", "{ match: { prefix: / }, respond: { status: 200, headers: { X-A: a, X-B: b }, "
                    "body: x }, response_headers: { set: { x-a: c, Content-Type: text/css }, "
                    "remove: [X_B] } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto answer = client.get("/");
  CHECK(answer.count("x-a") == 1);
  CHECK(answer.field("x-a") == "c");
  CHECK_FALSE(answer.field("x-b").has_value());
  CHECK(answer.count("content-type") == 1);
  CHECK(answer.field("content-type") == "text/css");
}

TEST_CASE("the record has what the client sent and what the backend answered") {
  Believer backend{"HTTP/1.1 200 OK\r\nServer: php\r\nContent-Length: 1\r\n\r\nx"};
  GatewayProcess gateway(with_rules(
      backend.port(), "request_headers: { set: { X-Token: internal }, remove: [x-client] }, "
                      "response_headers: { set: { X-A: a }, remove: [server] }"));
  RawClient client(gateway.port());
  client.get("/", "X-Client: 1\r\nX-Token: forged\r\n");
  gateway.stop();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  const auto& request = exchanges[0].at("request").as_object();
  const auto& response = exchanges[0].at("response").as_object();
  CHECK(recorded_header(request, "x-client") == "1");
  CHECK(recorded_header(request, "x-token") == "forged");
  CHECK(recorded_header(response, "server") == "php");
  CHECK_FALSE(recorded_header(response, "x-a").has_value());
}

TEST_CASE("a copy for another backend gets the request headers of the route, too") {
  Believer legacy;
  Believer fresh;
  ConfigText config;
  config.backend("legacy", legacy.port()).backend("new", fresh.port());
  config.route("all", "{ match: { prefix: / }, to: legacy, shadow: { to: new, percent: 100 }, "
                      "request_headers: { set: { X-Token: internal }, remove: [x-client] } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/", "X-Client: 1\r\nX-Token: forged\r\nX-Kept: 1\r\n");
  gateway.wait_for_metric("segue_shadow_requests_total", {"result=\"sent\""}, 1);
  gateway.stop();
  const auto copies = fresh.requests();
  REQUIRE(copies.size() == 1);
  CHECK(copies[0].field("x-token") == "internal");
  CHECK(copies[0].count("x-token") == 1);
  CHECK_FALSE(copies[0].field("x-client").has_value());
  CHECK(copies[0].field("x-kept") == "1");
  for (const auto& exchange : recorded(gateway.journal(), {"--kind", "shadow"}))
    CHECK_FALSE(recorded_header(exchange.at("request").as_object(), "x-token").has_value());
}

}  // namespace
}  // namespace segue::test
