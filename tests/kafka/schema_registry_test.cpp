// The client of a schema registry against a real one, and against servers that are none.
#include "kafka/schema_registry.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <string>

#include "exchange/error.hpp"
#include "tests/support/schema_registry.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

using Kind = kafka::RegistryAnswer::Kind;

constexpr const char* kFirst =
    "syntax = \"proto3\"; package t; message A { string name = 1; int32 count = 2; }";
constexpr const char* kGrown =
    "syntax = \"proto3\"; package t; message A { string name = 1; int32 count = 2; int64 at = 3; }";
constexpr const char* kBroken =
    "syntax = \"proto3\"; package t; message A { int64 name = 1; string count = 2; }";

kafka::SchemaRegistry client(const std::string& url) {
  kafka::RegistrySettings settings;
  settings.url = url;
  return kafka::SchemaRegistry(settings);
}

kafka::RegistrySettings with_authentication(const SchemaRegistry& registry, const TempDir& folder,
                                            const std::string& password) {
  kafka::RegistrySettings settings;
  settings.url = registry.https_url_with_authentication();
  settings.ca = registry.ca();
  settings.username = SchemaRegistry::kUser;
  settings.password_file = folder.write("password", password + "\n");
  return settings;
}

TEST_CASE("a schema is registered once, grows, and is refused when it breaks what is there") {
  SchemaRegistry server;
  kafka::SchemaRegistry registry = client(server.url());
  const auto first = registry.ensure("shop/a-value", kFirst);
  REQUIRE(first.detail.empty());
  REQUIRE(first.kind == Kind::ok);
  CHECK(first.schema_id > 0);
  CHECK(registry.ensure("shop/a-value", kFirst).schema_id == first.schema_id);

  const auto grown = registry.ensure("shop/a-value", kGrown);
  REQUIRE(grown.kind == Kind::ok);
  CHECK(grown.schema_id != first.schema_id);
  const auto latest = registry.latest("shop/a-value");
  CHECK(latest.answer.schema_id == grown.schema_id);
  CHECK(latest.version == 2);
  CHECK(latest.type == "PROTOBUF");
  CHECK(registry.by_id(first.schema_id).text.find("count") != std::string::npos);

  const auto broken = registry.ensure("shop/a-value", kBroken);
  CHECK(broken.kind == Kind::incompatible);
  CHECK(broken.detail.find("shop") != std::string::npos);
  CHECK(broken.detail.find('\n') == std::string::npos);
  CHECK(registry.ensure("shop/a-value", "this is no schema").kind != Kind::ok);
  // A gateway that was rolled back: its schema is there, if not the latest.
  CHECK(registry.ensure("shop/a-value", kFirst).schema_id == first.schema_id);

  CHECK(registry.latest("nobody").answer.kind == Kind::absent);
  CHECK(registry.by_id(999'999).answer.kind == Kind::absent);

  const TempDir folder;
  kafka::SchemaRegistry trusted(
      with_authentication(server, folder, SchemaRegistry::kPassword));
  CHECK(trusted.ensure("shop/a-value", kFirst).schema_id == first.schema_id);
  kafka::SchemaRegistry wrong(with_authentication(server, folder, "wrong"));
  const auto refused = wrong.ensure("shop/a-value", kFirst);
  CHECK(refused.kind == Kind::refused);
  CHECK(refused.detail.find("password") != std::string::npos);
  CHECK(refused.detail.find("wrong") == std::string::npos);
  // Without the authority that signed its certificate, it is not whom we wanted.
  CHECK(client(server.https_url()).ensure("shop/a-value", kFirst).kind == Kind::unreachable);

  server.stop();
  CHECK(registry.ensure("shop/a-value", kFirst).kind == Kind::unreachable);
  server.start();
  CHECK(registry.ensure("shop/a-value", kFirst).kind == Kind::ok);
}

kafka::RegistryAnswer asked(const std::string& response) {
  const ScriptedBackend backend(answer_always(response));
  return client("http://127.0.0.1:" + std::to_string(backend.port())).ensure("a-value", kFirst);
}

TEST_CASE("what is no registry is refused, and one in trouble is asked again later") {
  CHECK(asked(response_with(200, "<html>hello</html>")).kind == Kind::refused);
  CHECK(asked(response_with(200, "{\"id\":\"one\"}")).kind == Kind::refused);
  CHECK(asked(response_with(404, "not here")).kind == Kind::refused);
  CHECK(asked(response_with(503, "{\"error_code\":50301,\"message\":\"starting\"}")).kind ==
        Kind::unreachable);
  CHECK(asked(response_with(429, "")).kind == Kind::unreachable);
  CHECK(asked(response_with(403, "")).kind == Kind::refused);
}

TEST_CASE("a redirect is not followed: it could lead the password astray") {
  CHECK(asked("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
            .kind == Kind::refused);
}

TEST_CASE("an answer without end is cut off at a limit") {
  const std::string endless = "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" +
                              std::string(9 << 20, 'x');
  const auto answer = asked(endless);
  CHECK(answer.kind == Kind::unreachable);
  CHECK(answer.detail.find("longer than") != std::string::npos);
}

TEST_CASE("URLs with credentials or of other kinds and files that are not there end the start") {
  CHECK_THROWS_AS(client("ftp://x"), StartupError);
  CHECK_THROWS_AS(client("http://user:secret@x"), StartupError);
  kafka::RegistrySettings settings;
  settings.url = "https://x";
  settings.ca = "/nowhere/ca.pem";
  CHECK_THROWS_MATCHES(
      kafka::SchemaRegistry(settings), StartupError,
      Catch::Matchers::Message("recorder.kafka.schema_registry.ca: cannot read /nowhere/ca.pem: No "
                               "such file or directory"));
}

}  // namespace
}  // namespace segue::test
