#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

TEST_CASE("an exchange is on record with both sides, its decision and its timing") {
  ScriptedBackend backend(
      answer_always(response_with(201, "{\"id\":7}",
                                  "Content-Type: application/json\r\nX-Twice: a\r\n"
                                  "X-Twice: b\r\n")));
  ConfigText config;
  config.listener("exchange_id_header: true")
      .with("defaults",
            "{ record: { key: cookie:uid, bodies: { max: 1MiB }, "
            "redact: { headers: [cookie] }, key_mode: plain } }")
      .backend("legacy", backend.port())
      .route("orders", "{ match: { method: POST, path: \"/orders/{id}\" }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto answer = client.exchange(
      "POST /orders/7?x=%20 HTTP/1.1\r\nHost: Shop.example\r\nCookie: uid=anna\r\n"
      "Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"qty\":2}");
  REQUIRE(answer.status() == 201);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  const auto& exchange = exchanges[0];
  CHECK(text_of(exchange.at("id")) == answer.field("segue-exchange-id"));
  CHECK(exchange.at("format_version") == 1);
  CHECK(exchange.at("kind") == "PRIMARY");
  CHECK(exchange.at("outcome") == "COMPLETED");
  CHECK(exchange.at("account_id") == "anna");
  CHECK(exchange.at("route") == "orders");
  CHECK(exchange.at("path_template") == "/orders/{id}");
  CHECK(exchange.at("backend") == "legacy");
  CHECK(exchange.at("role") == "legacy");
  CHECK(text_of(exchange.at("endpoint")) == fmt::format("127.0.0.1:{}", backend.port()));
  const auto& request = exchange.at("request").as_object();
  CHECK(request.at("method") == "POST");
  CHECK(request.at("target") == "/orders/7?x=%20");
  CHECK(request.at("authority") == "Shop.example");
  CHECK(request.at("body").at("text") == "{\"qty\":2}");
  CHECK(request.at("body").at("capture") == "COMPLETE");
  const auto& response = exchange.at("response").as_object();
  CHECK(response.at("status") == 201);
  CHECK(response.at("body").at("text") == "{\"id\":7}");
  CHECK(std::ranges::count_if(response.at("headers").as_array(), [](const auto& field) {
          return field.at("name") == "x-twice" || field.at("name") == "X-Twice";
        }) == 2);
  CHECK(exchange.at("timing_us").at("last_byte").to_number<std::int64_t>() >= 0);
}

TEST_CASE("planted secrets are nowhere in the journal's files") {
  ScriptedBackend backend(answer_always(response_with(
      200, "hello", "Set-Cookie: session=SECRET-setcookie\r\nX-Token: SECRET-answer\r\n")));
  ConfigText config = all_to(backend.port());
  config.with("defaults",
              "{ record: { bodies: { max: 1MiB }, redact: { headers: "
              "[x-token, { name: x-gone, mode: drop }] } } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (const char* method : {"GET", "DELETE"}) {
    const auto answer = client.exchange(fmt::format(
        "{} /visible HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer SECRET-authorization\r\n"
        "Cookie: uid=SECRET-cookie\r\nX-Token: SECRET-token\r\nx-tOKEN: SECRET-case\r\n"
        "X-Gone: SECRET-gone\r\nProxy-Authorization: Basic SECRET-proxy\r\n\r\n",
        method));
    CHECK(answer.field("x-token") == "SECRET-answer");  // redaction is for the record alone
  }
  CHECK(backend.requests().at(0).field("authorization") == "Bearer SECRET-authorization");
  gateway.kill();
  bool anything_recorded = false;
  for (const auto& file : std::filesystem::recursive_directory_iterator(gateway.journal_path())) {
    if (!file.is_regular_file()) continue;
    const auto bytes = read_whole_file(file.path());
    INFO(file.path());
    CHECK(bytes.find("SECRET") == std::string::npos);
    anything_recorded |= bytes.find("/visible") != std::string::npos;
    CHECK((file.status().permissions() & std::filesystem::perms(0077)) ==
          std::filesystem::perms::none);
  }
  CHECK(anything_recorded);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 2);
  CHECK_FALSE(exchanges[0].at("redacted").as_array().empty());
}

TEST_CASE("a body over its maximum is cut on record, whole to the client") {
  const std::string large(300 << 10, 'z');
  ScriptedBackend backend(answer_always(response_with(200, large, "Content-Type: text/plain\r\n")));
  ConfigText config = all_to(backend.port());
  config.with("defaults", "{ record: { bodies: { max: 64KiB }, redact: {} } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/").body == large);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  const auto& body = exchanges[0].at("response").at("body").as_object();
  CHECK(body.at("capture") == "TRUNCATED");
  CHECK(body.at("size").to_number<std::size_t>() == large.size());
  CHECK(body.at("text").as_string().size() == 64 << 10);
}

TEST_CASE("a malformed request is on record as refused, with its status") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  CHECK(client.exchange("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status() == 400);
  CHECK(gateway.metric("segue_requests_refused_total") == 1);
}

TEST_CASE("an unsafe request that is under way when the gateway dies is INTERRUPTED") {
  Event never;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    never.wait();
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send(
      "POST /pay HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
      "Content-Length: 4\r\n\r\n100$");
  RawClient reader(gateway.port());
  reader.send("GET /look HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(2);
  gateway.kill();
  never.set();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "INTERRUPTED");
  CHECK(exchanges[0].at("request").at("method") == "POST");
  CHECK(exchanges[0].at("request").at("body").at("text") == "100$");

  // The next gateway on this journal recovers it once, for good.
  GatewayProcess next(all_to(closed_port()), gateway.journal_path());
  const auto after = recorded(gateway.journal());
  REQUIRE(after.size() == 1);
  CHECK(after[0].at("id") == exchanges[0].at("id"));
  CHECK(after[0].at("outcome") == "INTERRUPTED");
}

TEST_CASE("a client that goes away: an unsafe exchange is read to its end, and told apart") {
  Event gone;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      gone.wait();
      connection.send(response_with(200, "done anyway"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /order HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  backend.wait_for_requests(1);
  client.socket().reset();
  gone.set();
  gateway.wait_for_metric("segue_record_exchanges_total", {"result=\"recorded\""}, 1);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "CLIENT_ABORTED");
  CHECK(exchanges[0].at("response").at("status") == 200);
}

TEST_CASE("seguectl reads a journal while a gateway writes it: filters, tail and show agree") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      connection.send(response_with(request->target() == "/broken" ? 500 : 200, "x"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  for (int i = 0; i < 30; ++i) client.get(fmt::format("/{}", i));
  client.get("/broken");
  client.exchange("DELETE /thing HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto all = recorded(gateway.journal());
  REQUIRE(all.size() == 32);
  for (int i = 0; i < 30; ++i) {
    CHECK(text_of(all[static_cast<std::size_t>(i)].at("request").at("target")) ==
          fmt::format("/{}", i));
  }
  const auto broken = recorded(gateway.journal(), {"--status", "5xx"});
  REQUIRE(broken.size() == 1);
  CHECK(broken[0].at("request").at("target") == "/broken");
  CHECK(recorded(gateway.journal(), {"--method", "DELETE"}).size() == 1);
  CHECK(recorded(gateway.journal(), {"--route", "all"}).size() == 32);
  CHECK(recorded(gateway.journal(), {"--route", "none-such"}).empty());
  CHECK(recorded(gateway.journal(), {"--limit", "5"}).size() == 5);
  const auto tail = run_command({seguectl_path(), "tail", "-n", "2", gateway.journal()});
  CHECK(tail.exit_code == 0);
  CHECK(tail.out.find("/broken") != std::string::npos);
  CHECK(tail.out.find("/thing") != std::string::npos);
  const auto shown = run_command(
      {seguectl_path(), "show", text_of(broken[0].at("id")), gateway.journal(), "--as", "curl"});
  CHECK(shown.exit_code == 0);
  CHECK(shown.out.find("curl") != std::string::npos);
  CHECK(shown.out.find("/broken") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
