// Header fields on their way: what stays, what goes, and what is ours, byte by byte on both sides,
// for strangers and for trusted proxies.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <ctime>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/http_cases.hpp"

namespace segue::test {
namespace {

// A case on a gateway that is set up for it.
struct SetCase {
  PassingCase exchange;
  std::string_view listener_keys;
  std::string_view backend_keys;
};

const std::vector<SetCase>& set_cases() {
  static const std::vector<SetCase> rows = {
      {{"a trusted proxy's claims are appended to, or kept where applications want one value",
        "GET /open HTTP/1.1\r\nHost: a\r\nForwarded: for=9.9.9.9\r\nX-Forwarded-For: 9.9.9.9\r\n"
        "X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\nVia: 1.1 before\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n"
        "Via: 1.1 before\r\nVia: 1.1 segue\r\n"
        "Forwarded: for=9.9.9.9, for=127.0.0.1;host=\"a\";proto=http\r\n"
        "X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n\r\n",
        kOk, kOkAtClient},
       "trusted_proxies: [127.0.0.1]",
       ""},
      {{"a trusted proxy that claims nothing gets what everybody gets", kPlain, kPlainAtBackend,
        kOk, kOkAtClient},
       "trusted_proxies: [127.0.0.1]",
       ""},
      {{"two X-Forwarded-For fields of a trusted proxy become one list in their order",
        "GET /open HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nX-A: 1\r\n"
        "x-forwarded-for: 8.8.8.8\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nVia: 1.1 segue\r\n"
        "Forwarded: for=127.0.0.1;host=\"a\";proto=http\r\n"
        "X-Forwarded-For: 9.9.9.9, 8.8.8.8, 127.0.0.1\r\n"
        "X-Forwarded-Proto: http\r\nX-Forwarded-Host: a\r\n\r\n",
        kOk, kOkAtClient},
       "trusted_proxies: [127.0.0.1]",
       ""},
      {{"a proxy that is not the trusted one is a stranger",
        "GET /open HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n", kPlainAtBackend, kOk,
        kOkAtClient},
       "trusted_proxies: [10.0.0.0/8]",
       ""},
      {{"the backend's own host takes the place of the client's, which stands in Forwarded", kPlain,
        "GET /open HTTP/1.1\r\nHost: inner.example:81\r\n{added}", kOk, kOkAtClient},
       "",
       "host: \"inner.example:81\""},
      {{"names with an underscore pass where the listener says so",
        "GET /open HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nx-z: 2\r\n\r\n",
        "GET /open HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nx-z: 2\r\n{added}", kOk, kOkAtClient},
       "underscore_names: forward",
       ""},
  };
  return rows;
}

TEST_CASE("what a listener and a backend are told to change is all that they change") {
  for (const auto& row : set_cases())
    check_passing(row.exchange, row.listener_keys, row.backend_keys);
}

TEST_CASE("names with an underscore are refused where the listener says so, and counted") {
  Believer backend;
  auto config = only_open(backend.port());
  config.listener("underscore_names: refuse");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  const auto answer = client.exchange("GET /open HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\n\r\n");
  CHECK(answer.status() == 400);
  CHECK(answer.field("segue-error") == "underscore_name");
  CHECK(client.get("/open").status() == 200);  // a request without a body leaves no doubt
  CHECK(backend.lines() == std::vector<std::string>{"GET /open HTTP/1.1"});
}

TEST_CASE("names with an underscore that were dropped are counted") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.exchange("GET /open HTTP/1.1\r\nHost: a\r\nX_Y: 1\r\nA_B: 2\r\n\r\n");
  CHECK(gateway.metric("segue_underscore_fields_dropped_total") == 2);
}

// Fields as nobody sends them: names in any case, many of them again and again, values with odd
// blanks and bytes. Ends with "\r\n".
std::string odd_fields(std::mt19937& random, std::size_t count) {
  static constexpr std::string_view kLetters = "abXY-.~!^";
  static constexpr std::string_view kBytes = "a,;=\"\\\t (){}<>@/?\x80\xff";
  const auto pick = [&](std::string_view from, std::size_t size) {
    std::string text;
    while (text.size() < size) text += from[random() % from.size()];
    return text;
  };
  std::string fields;
  std::string name = "X-First";
  for (std::size_t i = 0; i < count; ++i) {
    if (random() % 3 != 0) name = "x" + pick(kLetters, 1 + random() % 12);
    const auto value = pick(kBytes, random() % 30);
    fields += name + ":" + std::string(random() % 3, ' ') + value + "\r\n";
  }
  return fields;
}

TEST_CASE("ninety odd fields keep their order, repetition and bytes, both ways") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (unsigned round = 0; round < rounds(3); ++round) {
    const auto out = odd_fields(random, 90);
    const auto back = odd_fields(random, 90);
    const auto request = fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n", out);
    const auto at_backend = fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n{}{{added}}", out);
    const auto answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}\r\nok", back);
    const auto at_client =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}Via: 1.1 segue\r\n\r\nok", back);
    check_passing({"odd fields", request, at_backend, answer, at_client});
  }
}

struct Nomination {
  std::string_view member;
  bool removed;
};

// A client may nominate what is its own business; nobody may nominate away what the gateway acts on.
TEST_CASE("what Connection nominates is left out, but for what the gateway acts on, both ways") {
  constexpr Nomination rows[] = {
      {"X-Mine", true},        {"x-MINE", true},         {"Accept", true},
      {"Range", true},         {"Content-Type", false},  {"Content-Encoding", false},
      {"Set-Cookie", false},   {"Cookie", false},        {"Authorization", false},
      {"Date", false},         {"Server", false},        {"X-Real-IP", false},
      {"X-Auth-User", false},  {"Remote-User", false},   {"X-Forwarded-Port", false},
  };
  for (const auto& row : rows) {
    INFO(row.member);
    const auto field = fmt::format("{}: 1\r\n", row.member);
    const auto nominated = fmt::format("Connection: , \"x\", {} ,, x\r\n{}", row.member, field);
    const std::string_view kept = row.removed ? std::string_view() : std::string_view(field);
    const auto request = fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n", nominated);
    const auto at_backend = fmt::format("GET /open HTTP/1.1\r\nHost: a\r\n{}{{added}}", kept);
    const auto answer = fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}\r\nok", nominated);
    const auto at_client =
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}Via: 1.1 segue\r\n\r\nok", kept);
    // What a stranger says of itself is left out in any case.
    check_passing({row.member, request, at_backend, answer, at_client},
                  "trusted_proxies: [127.0.0.1]");
  }
}

std::time_t second_of(const std::string& date) {
  std::tm utc{};
  REQUIRE(::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc) != nullptr);
  return ::timegm(&utc);
}

TEST_CASE("an answer that says no Date gets the second in which it came, and one that does keeps it") {
  Believer dateless;
  Believer dated("HTTP/1.1 200 OK\r\nDATE: today\r\nContent-Length: 0\r\n\r\n");
  const std::time_t before = std::time(nullptr);
  for (const auto& [port, target] : {std::pair{dateless.port(), "/open"},
                                     {dateless.port(), "/elsewhere"},
                                     {dated.port(), "/open"}}) {
    INFO(target);
    GatewayProcess gateway(only_open(port));
    RawClient client(gateway.port());
    const auto date = client.get(target).field("date");
    REQUIRE(date);
    if (port == dated.port()) {
      CHECK(*date == "today");
    } else {
      CHECK(second_of(*date) >= before);
      CHECK(second_of(*date) <= std::time(nullptr));
    }
  }
}

TEST_CASE("framing, Host and Expect cannot be nominated away") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nConnection: Content-Length, Host, Expect\r\n"
              "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(client.response("POST").status() == 200);
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\n"
              "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  CHECK(client.response("POST").status() == 200);
  const auto seen = backend.requests();
  REQUIRE(seen.size() == 2);
  for (const auto& request : seen) {
    CHECK(request.body == "abc");
    CHECK(request.field("host") == "a");
  }
  CHECK(seen[0].field("expect") == "100-continue");
  CHECK(seen[0].field("content-length") == "3");
  CHECK(seen[1].field("transfer-encoding") == "chunked");
}

TEST_CASE("an answer cannot nominate away how long it is") {
  check_passing({"Content-Length nominated", kPlain, kPlainAtBackend,
                 "HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nok",
                 kOkAtClient});
  check_passing({"Transfer-Encoding nominated", kPlain, kPlainAtBackend,
                 "HTTP/1.1 200 OK\r\nConnection: Transfer-Encoding\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 segue\r\n\r\n"
                 "2\r\nok\r\n0\r\n\r\n"});
}

}  // namespace
}  // namespace segue::test
