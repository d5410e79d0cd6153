// Redirects and responds: what the gateway answers for a route, as bytes, and that no backend hears
// of it.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>

#include "tests/e2e/http_cases.hpp"
#include "tests/e2e/tls_client.hpp"
#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kGone =
    "{ match: { prefix: /gone }, respond: { status: 410, body: gone } }";

// Everything to the backend but the routes that a test adds.
ConfigText with_route(std::uint16_t port, std::string_view name, std::string_view route) {
  auto config = all_to(port);
  config.route(name, route);
  return config;
}

std::string location_of(GatewayProcess& gateway, std::string_view target,
                        std::string_view host = "shop.example:8080") {
  RawClient client(gateway.port());
  const auto answer =
      client.exchange(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, host));
  CHECK(answer.whole);
  return fmt::format("{} {}", answer.status(), answer.field("location").value_or("(none)"));
}

TEST_CASE("a redirect replaces the parts that it names and keeps the others, the query too") {
  Believer backend;
  auto config = all_to(backend.port());
  config.route("secure", "{ match: { prefix: /secure }, redirect: { scheme: https, "
                         "host: \"a.example:8443\" } }")
      .route("port", "{ match: { prefix: /port, scheme: http }, redirect: { scheme: https } }")
      .route("host", "{ match: { prefix: /host }, redirect: { host: b.example, status: 302 } }")
      .route("old", "{ match: { path: \"/old/{id}/{rest...}\" }, "
                    "redirect: { path: \"/new/{rest...}/{id}\", status: 301 } }")
      .route("item", "{ match: { path: \"/item/{id}\" }, "
                     "redirect: { path: \"/items.php?id={id}\", status: 307 } }");
  GatewayProcess gateway(config);
  CHECK(location_of(gateway, "/secure/x?y=z") == "308 https://a.example:8443/secure/x?y=z");
  CHECK(location_of(gateway, "/port/?q") == "308 https://shop.example/port/?q");
  CHECK(location_of(gateway, "/host") == "302 http://b.example/host");
  CHECK(location_of(gateway, "/old/7/a/b?c") == "301 http://shop.example:8080/new/a/b/7?c");
  CHECK(location_of(gateway, "/item/7?own=1") == "307 http://shop.example:8080/items.php?id=7");
  CHECK(location_of(gateway, "/host//evil.example/") == "302 http://b.example/host//evil.example/");
  CHECK(backend.connections() == 0);
}

TEST_CASE("no byte of a request can end the Location field or leave its URL") {
  Believer backend;
  auto config = with_route(backend.port(), "old",
                           "{ match: { path: \"/old/{id}\" }, redirect: { path: \"/x/{id}\" } }");
  config.route("any", "{ match: { prefix: /any }, redirect: { host: b.example } }");
  GatewayProcess gateway(config);
  CHECK(location_of(gateway, "/old/a%0d%0aSet-Cookie:%20b=c") ==
        "308 http://shop.example:8080/x/a%0d%0aSet-Cookie:%20b=c");
  CHECK(location_of(gateway, "/any/%0d%0ax?%0a") == "308 http://b.example/any/%0d%0ax?%0a");
  CHECK(location_of(gateway, "/any/\"><script>|\\") ==
        "308 http://b.example/any/%22%3E%3Cscript%3E%7C%5C");
  CHECK(location_of(gateway, "/old/a%2Fb").starts_with("400 "));  // path confusion
  RawClient client(gateway.port());
  const auto html = client.get("/any/?a&b='<x>", "Accept: text/html\r\n");
  CHECK(html.field("content-type") == "text/html; charset=utf-8");
  CHECK(html.body.find("href=\"http://b.example/any/?a&amp;b=&#39;%3Cx%3E\"") !=
        std::string::npos);
}

TEST_CASE("HEAD gets the head of the answer, and HTTP/1.0 without a host a path") {
  Believer backend;
  auto config = with_route(backend.port(), "old",
                           "{ match: { prefix: /old }, redirect: { path: //x } }");
  config.route("secure", "{ match: { prefix: /secure, scheme: http }, "
                         "redirect: { scheme: https } }")
      .route("gone", kGone);
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.send("HEAD /gone HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.response("HEAD");
  CHECK(head.status() == 410);
  CHECK(head.field("content-length") == "4");
  CHECK(client.get("/gone").body == "gone");  // on the same connection

  RawClient old(gateway.port());
  const auto answer = old.exchange("GET /old HTTP/1.0\r\n\r\n");
  CHECK(answer.status() == 308);
  CHECK(answer.field("location") == "/.//x");  // not a host
  CHECK(answer.field("connection") == "close");
  CHECK(ended_without_more(old));

  RawClient nameless(gateway.port());
  const auto refused = nameless.exchange("GET /secure HTTP/1.0\r\n\r\n");
  CHECK(refused.status() == 400);
  CHECK(refused.field("segue-error") == "missing_host");
}

TEST_CASE("a respond says its status, its fields and its body, and nothing of the gateway's") {
  Believer backend;
  auto config = with_route(
      backend.port(), "teapot",
      "{ match: { prefix: /teapot }, respond: { status: 418, headers: { X-Pot: short, "
      "content-type: application/json }, body: '{\"tea\":true}' } }");
  config.route("gone", kGone)
      .route("none", "{ match: { prefix: /none }, respond: { status: 204 } }")
      .route("bare", "{ match: { prefix: /bare }, respond: { status: 200 } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto teapot = client.get("/teapot");
  CHECK(teapot.start_line == "HTTP/1.1 418 Status");
  CHECK(teapot.field("x-pot") == "short");
  CHECK(teapot.field("content-type") == "application/json");
  CHECK(teapot.field("date").has_value());
  CHECK_FALSE(teapot.field("segue-error").has_value());
  CHECK(teapot.body == "{\"tea\":true}");
  CHECK(client.get("/gone").field("content-type") == "text/plain; charset=utf-8");
  const auto none = client.get("/none");
  CHECK(none.start_line == "HTTP/1.1 204 No Content");
  CHECK_FALSE(none.field("content-length").has_value());
  CHECK_FALSE(none.field("content-type").has_value());
  const auto bare = client.get("/bare");
  CHECK(bare.field("content-length") == "0");
  CHECK_FALSE(bare.field("content-type").has_value());
  CHECK(backend.connections() == 0);
}

TEST_CASE("a respond says strict transport over https only") {
  Believer backend;
  auto config = with_route(backend.port(), "gone",
                           "{ match: { prefix: /gone }, respond: { status: 410, headers: { "
                           "Strict-Transport-Security: max-age=1, X-A: a } } }");
  config.listener("trusted_proxies: [127.0.0.1]");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto plain = client.get("/gone");
  CHECK(plain.field("x-a") == "a");
  CHECK_FALSE(plain.field("strict-transport-security").has_value());
  const auto secure = client.get("/gone", "X-Forwarded-Proto: https\r\n");
  CHECK(secure.field("strict-transport-security") == "max-age=1");
}

TEST_CASE("the body of a request that is answered here is never read as a request") {
  Believer backend;
  GatewayProcess gateway(with_route(backend.port(), "gone", kGone));
  {
    RawClient client(gateway.port());  // small: read, and the next request is served
    client.send("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 24\r\n\r\n"
                "GET /hidden HTTP/1.1\r\n\r\n"
                "GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(statuses(client, 2) == std::vector<int>{410, 200});
  }
  {
    RawClient client(gateway.port());  // chunked: unread, and the connection ends
    client.send("POST /gone HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "18\r\nGET /hidden HTTP/1.1\r\n\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\n"
                "Host: a\r\n\r\n");
    const auto answer = client.response();
    CHECK(answer.status() == 410);
    CHECK(answer.field("connection") == "close");
    CHECK(ended_without_more(client));
  }
  {
    RawClient client(gateway.port());  // waits to be told to go on, and is told to go elsewhere
    client.send("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                "Expect: 100-continue\r\n\r\n");
    const auto answer = client.response();
    CHECK(answer.status() == 410);
    CHECK(answer.field("connection") == "close");
    CHECK(ended_without_more(client));
  }
  CHECK(backend.lines() == std::vector<std::string>{"GET /next HTTP/1.1"});
}

TEST_CASE("pipelined requests are answered in their order, whoever answers them") {
  Believer backend;
  GatewayProcess gateway(with_route(backend.port(), "gone", kGone));
  RawClient client(gateway.port());
  client.send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\n\r\n"
              "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(statuses(client, 3) == std::vector<int>{410, 200, 410});
}

TEST_CASE("what the gateway answers for a route is on record and counted as any other exchange") {
  Believer backend;
  auto config = with_route(backend.port(), "gone", kGone);
  config.route("moved", "{ match: { prefix: /moved }, redirect: { host: b.example } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.exchange("POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  client.get("/moved/x");
  CHECK(gateway.metric("segue_requests_refused_total") == 0);
  CHECK(gateway.metric("http_server_request_duration_seconds_count",
                       {"http_route=\"/gone\"", "http_response_status_code=\"410\""}) == 1);
  gateway.stop();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 2);
  const auto& gone = exchanges[0];
  CHECK(text_of(gone.at("outcome")) == "COMPLETED");
  CHECK(text_of(gone.at("route")) == "gone");
  CHECK(text_of(gone.at("backend")).empty());
  CHECK(gone.at("response").at("status").as_int64() == 410);
  CHECK(text_of(gone.at("response").at("body").at("text")) == "gone");
  CHECK(text_of(gone.at("request").at("body").at("base64")) == "YWJj");
  const auto& moved = exchanges[1];
  CHECK(text_of(moved.at("outcome")) == "COMPLETED");
  CHECK(recorded_header(moved.at("response").as_object(), "location") ==
        "http://b.example/moved/x");
}

TEST_CASE("plain HTTP is sent to the listener with TLS, which serves, with strict transport") {
  Believer backend;
  const Certificate certificate("localhost");
  auto config = with_route(backend.port(), "https",
                           "{ match: { scheme: http }, redirect: { scheme: https } }");
  config
      .with("defaults", "{ record: { redact: {} }, response_headers: { set: { "
                        "Strict-Transport-Security: max-age=31536000, X-Both: \"1\" } } }")
      .with("listeners",
            fmt::format("{{ public: {{ address: \"127.0.0.1:0\" }}, secure: {{ address: "
                        "\"127.0.0.1:0\", tls: {{ certificates: [{}] }} }}, probe: {{ address: "
                        "\"127.0.0.1:0\" }} }}",
                        certificate_entry(certificate)));
  GatewayProcess gateway(config);
  RawClient plain(gateway.port());
  const auto answer = plain.exchange("GET /x?y HTTP/1.1\r\nHost: localhost:8080\r\n\r\n");
  CHECK(answer.status() == 308);
  CHECK(answer.field("location") == "https://localhost/x?y");
  CHECK(answer.field("x-both") == "1");
  CHECK_FALSE(answer.field("strict-transport-security").has_value());
  CHECK(backend.connections() == 0);
  TlsClient secure(gateway.port("secure"), {});
  const std::string served = secure.get();
  CHECK(served.starts_with("HTTP/1.1 200"));
  CHECK(served.find("Strict-Transport-Security: max-age=31536000\r\n") != std::string::npos);
}

TEST_CASE("behind a trusted proxy the scheme is what the proxy says, and a stranger says nothing") {
  Believer backend;
  for (const bool trusted : {true, false}) {
    auto config = with_route(backend.port(), "https",
                             "{ match: { scheme: http }, redirect: { scheme: https } }");
    config.with("defaults", "{ record: { redact: {} }, response_headers: { set: { "
                            "strict-transport-security: max-age=1 } } }");
    if (trusted) config.listener("trusted_proxies: [127.0.0.1]");
    GatewayProcess gateway(config);
    const auto said = [&](std::string_view proto) {
      RawClient client(gateway.port());
      const auto answer = client.get("/", fmt::format("X-Forwarded-Proto: {}\r\n", proto));
      CHECK(answer.field("strict-transport-security").has_value() == (answer.status() == 200));
      return answer.status();
    };
    CHECK(said("https") == (trusted ? 200 : 308));
    CHECK(said("HTTPS, http") == (trusted ? 200 : 308));
    CHECK(said("http, https") == 308);
    CHECK(said("ftp") == 308);
    CHECK(said("") == 308);
    gateway.stop();
    for (const auto& exchange : recorded(gateway.journal(), {"--status", "200"}))
      CHECK(text_of(exchange.at("request").at("scheme")) == "https");
  }
}

}  // namespace
}  // namespace segue::test
