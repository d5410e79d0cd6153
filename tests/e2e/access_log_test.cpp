#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <regex>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

ConfigText logging(std::uint16_t backend, std::string_view format,
                   const std::filesystem::path& file) {
  ConfigText config = all_to(backend);
  config.with("access_log", fmt::format("{{ format: {}, path: \"{}\" }}", format, file.string()))
      .with("defaults",
            "{ record: { redact: { headers: [user-agent], query: [token], patterns: [email] } } }");
  return config;
}

TEST_CASE("the access log has one JSON line for each exchange, those refused too, redacted") {
  const TempDir folder;
  const auto file = folder / "access.log";
  ScriptedBackend backend(answer_always(response_with(200, "hello")));
  std::vector<boost::json::object> kept;
  {
    GatewayProcess gateway(logging(backend.port(), "json", file));
    RawClient client(gateway.port());
    client.exchange(
        "POST /a%22b?token=secret&x=\"y HTTP/1.1\r\nHost: shop\r\nUser-Agent: spy\r\n"
        "Content-Length: 3\r\n\r\nabc");
    client.get("/of/jane@example.org");
    client.exchange("GET nonsense HTTP/1.1\r\nHost: shop\r\n\r\n");
    kept = recorded(gateway.journal());
    gateway.stop();
  }
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 3);
  REQUIRE(kept.size() == 3);
  const auto first = boost::json::parse(lines[0]).as_object();
  CHECK(text_of(first.at("id")) == text_of(kept[0].at("id")));
  CHECK(text_of(first.at("time")) == text_of(kept[0].at("created_at")));
  CHECK(text_of(first.at("method")) == "POST");
  CHECK(text_of(first.at("path")) == "/a%22b");
  CHECK(text_of(first.at("user_agent")) == "***");
  CHECK(first.at("status").as_int64() == 200);
  CHECK(first.at("request_bytes").as_int64() == 3);
  CHECK(first.at("response_bytes").as_int64() == 5);
  CHECK(first.at("duration_us").as_int64() > 0);
  CHECK(text_of(first.at("route")) == "all");
  CHECK(text_of(boost::json::parse(lines[1]).at("path")) == "/of/***");
  const auto refused = boost::json::parse(lines[2]).as_object();
  CHECK(refused.at("status").as_int64() == 400);
  CHECK(refused.at("response_bytes").as_int64() > 0);
  CHECK(text_of(refused.at("outcome")) == "REFUSED");
}

TEST_CASE("the access log in Apache's combined format") {
  const TempDir folder;
  const auto file = folder / "access.log";
  ScriptedBackend backend(answer_always(response_with(404, "no")));
  {
    GatewayProcess gateway(logging(backend.port(), "combined", file));
    RawClient client(gateway.port());
    client.get("/x?token=secret", "Referer: http://a/b?c=d\r\n");
    gateway.stop();
  }
  const auto lines = lines_of(file);
  REQUIRE(lines.size() == 1);
  const std::regex expected(
      R"(127\.0\.0\.1 - - \[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /x HTTP/1\.1" 404 2 "http://a/b" "-")");
  INFO(lines[0]);
  CHECK(std::regex_match(lines[0], expected));
}

TEST_CASE("an access log that cannot be opened keeps the gateway from starting, with a reason") {
  const TempDir folder;
  const auto blocked = folder.write("a-file", "");
  const auto file =
      folder.write("segue.yaml", logging(1, "json", blocked / "access.log").yaml(folder / "j"));
  const auto result = run_command({segue_path(), "serve", "-c", file.string()});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("access_log.path: cannot open") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
