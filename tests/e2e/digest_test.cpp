// `bodies.digest: sha256`, checked by sha256sum over what was sent.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/shadowed.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kDigest =
    "{ record: { bodies: { max: 64KiB, digest: sha256 }, redact: {} } }";

std::string sha256_of(std::string_view content) {
  const TempDir folder;
  const auto sum = run_command({"sha256sum", folder.write("body", content).string()});
  REQUIRE(sum.exit_code == 0);
  return sum.out.substr(0, 64);
}

std::string octets(std::size_t count) {
  std::string all(count, 0);
  std::uint32_t state = 7;
  for (char& c : all) c = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
  return all;
}

std::string in_chunks(std::string_view body, std::size_t chunk) {
  std::string text;
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    const auto piece = body.substr(0, chunk);
    text += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  return text + "0\r\n\r\n";
}

std::string answer_in_chunks(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunks(body, 7'001);
}

const boost::json::object& body_of(const boost::json::object& exchange, const char* message) {
  return exchange.at(message).at("body").as_object();
}

// "" where there is none.
std::string digest_of(const boost::json::object& exchange, const char* message) {
  const auto* const digest = body_of(exchange, message).if_contains("sha256");
  return digest == nullptr ? "" : text_of(*digest);
}

TEST_CASE("a digest on record is that of the whole body, in both directions and every framing") {
  const std::string answer = octets(300'000);
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->target() == "/length") connection.send(response_with(200, answer));
      if (request->target() == "/chunked") connection.send(answer_in_chunks(answer));
      if (request->target() == "/empty") connection.send(response_with(200, ""));
      if (request->target() != "/close") continue;
      connection.send("HTTP/1.1 200 OK\r\n\r\n" + answer);
      return connection.close();
    }
  });
  GatewayProcess gateway(all_to(backend.port()).with("defaults", kDigest));
  const std::string sent = octets(200'001);
  const std::string small = "quantity=2";
  RawClient client(gateway.port());
  const auto post = [&](std::string_view target, std::string_view framing, std::string_view body) {
    return client.exchange(
        fmt::format("POST {} HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n{}", target, framing, body));
  };
  CHECK((post("/length", fmt::format("Content-Length: {}", sent.size()), sent).body == answer));
  CHECK((post("/chunked", "Transfer-Encoding: chunked", in_chunks(sent, 9'999)).body == answer));
  CHECK(post("/empty", "Content-Length: 10", small).body.empty());
  CHECK((client.get("/close").body == answer));

  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 4);
  for (const std::size_t at : {0, 1}) {
    CHECK(body_of(exchanges[at], "request").at("capture") == "TRUNCATED");
    CHECK(digest_of(exchanges[at], "request") == sha256_of(sent));
  }
  CHECK(digest_of(exchanges[2], "request") == sha256_of(small));
  CHECK(digest_of(exchanges[3], "request").empty());
  for (const std::size_t at : {0, 1, 3}) {
    CHECK(body_of(exchanges[at], "response").at("capture") == "TRUNCATED");
    CHECK(digest_of(exchanges[at], "response") == sha256_of(answer));
  }
  CHECK(digest_of(exchanges[2], "response") == sha256_of(""));
  const auto shown = run_command(
      {seguectl_path(), "show", text_of(exchanges[0].at("id")), gateway.journal()});
  CHECK(shown.out.find("SHA-256      " + sha256_of(sent)) != std::string::npos);
}

TEST_CASE("a route without bodies.digest has none on record") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  ConfigText config = all_to(backend.port());
  config.with("defaults", kDigest)
      .route("bare", "{ match: { prefix: /bare }, to: legacy, record: { bodies: none } }")
      .route("plain",
             "{ match: { prefix: /plain }, to: legacy, record: { bodies: { digest: none } } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (const char* target : {"/bare", "/plain", "/"}) client.get(target);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 3);
  CHECK(digest_of(exchanges[0], "response").empty());
  CHECK(digest_of(exchanges[1], "response").empty());
  CHECK(digest_of(exchanges[2], "response") == sha256_of("x"));
}

TEST_CASE("a body that does not come to its end has no digest") {
  ScriptedBackend backend([](BackendConnection& connection) {
    const auto head = connection.request_head();
    if (!head || head->method() != "GET") {
      connection.reader().some(1 << 20);
      return;
    }
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
  });
  GatewayProcess gateway(all_to(backend.port()).with("defaults", kDigest));
  {
    RawClient client(gateway.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.reader().response();
    CHECK((!answer || !answer->whole));
  }
  for (const char* framing : {"Content-Length: 1000", "Content-Length: 1000000",
                              "Transfer-Encoding: chunked"}) {
    RawClient client(gateway.port());
    client.send(fmt::format("POST / HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n5\r\nhello\r\n", framing));
    client.socket().shut_down();
  }
  gateway.wait_for_metric("segue_record_exchanges_total", {"result=\"recorded\""}, 4);
  for (const auto& exchange : recorded(gateway.journal())) {
    CHECK(exchange.at("outcome") != "COMPLETED");
    CHECK(digest_of(exchange, "request").empty());
    if (exchange.at("request").at("method") == "GET")
      CHECK(digest_of(exchange, "response").empty());
  }
}

TEST_CASE("answers to copies and controls have digests, but where they are cut") {
  const std::string old_answer = octets(90'000);
  const std::string new_answer = octets(80'001);
  const std::string long_answer = octets(150'000);
  ScriptedBackend legacy(answer_always(answer_in_chunks(old_answer)));
  ScriptedBackend copies([&](BackendConnection& connection) {
    while (const auto request = connection.request())
      connection.send(response_with(200, request->target() == "/long" ? long_answer : new_answer));
  });
  ConfigText config = shadowed(legacy.port(), copies.port(),
                               "percent: 100, control_percent: 100, max_body: 100000B");
  config.with("defaults", kDigest);
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.get("/");
  wait_for_shadows(gateway, "sent", 1);
  client.get("/long");
  wait_for_shadows(gateway, "sent", 2);
  wait_for_controls(gateway, "sent", 2);
  const auto shadow_records = recorded_kind(gateway, "SHADOW");
  REQUIRE(shadow_records.size() == 2);
  CHECK(digest_of(shadow_records[0], "response") == sha256_of(new_answer));
  CHECK(body_of(shadow_records[1], "response").at("reason") == "shadow.max_body");
  CHECK(digest_of(shadow_records[1], "response").empty());
  const auto control_records = recorded_kind(gateway, "CONTROL");
  REQUIRE(control_records.size() == 2);
  CHECK(digest_of(control_records[0], "response") == sha256_of(old_answer));
}

}  // namespace
}  // namespace segue::test
