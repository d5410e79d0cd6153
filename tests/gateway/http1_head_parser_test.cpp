#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <memory>
#include <string>
#include <vector>

#include "gateway/http1/head_parser.hpp"
#include "tests/gateway/http1_cases.hpp"

namespace segue::gateway::http1 {
namespace {

std::string framing_text(const MessageHead& head) {
  switch (head.framing) {
    case Framing::none:
      return "none";
    case Framing::length:
      return fmt::format("length:{}", head.content_length);
    case Framing::chunked:
      return "chunked";
    case Framing::until_close:
      return "until_close";
  }
  return "?";
}

std::string outcome(const RequestParser& parser, ParseState state) {
  const RequestHead& head = parser.head();
  if (state == ParseState::need_more) return "need more";
  if (state == ParseState::refused)
    return fmt::format("{} {}", parser.refusal().status, parser.refusal().reason);
  return fmt::format("{} {} {} {} {}", head.method, head.target, head.authority, framing_text(head),
                     head.keep_alive ? "keep" : "close");
}

std::string outcome(const ResponseParser& parser, ParseState state) {
  const ResponseHead& head = parser.head();
  if (state == ParseState::need_more) return "need more";
  if (state == ParseState::refused) return parser.refusal().reason;
  return fmt::format("{} {} {}", head.status, framing_text(head),
                     head.keep_alive ? "keep" : "close");
}

// Gives the beginnings of `raw` that end at `cuts`, each in memory of its own: as if the receive
// buffer had moved every time.
std::string feed_request(std::string_view raw, const std::vector<std::size_t>& cuts,
                         const HeadLimits& limits = {}) {
  RequestParser parser(limits);
  std::vector<std::unique_ptr<std::string>> buffers;  // all are kept: none comes back elsewhere
  for (const std::size_t cut : cuts) {
    buffers.push_back(std::make_unique<std::string>(raw.substr(0, cut)));
    const ParseState state = parser.parse(*buffers.back());
    if (state != ParseState::need_more || cut == raw.size()) return outcome(parser, state);
    if (buffers.size() > 1) {
      std::string& left = *buffers[buffers.size() - 2];
      left.assign(left.size(), '!');
    }
  }
  return "not fed";
}

std::string feed_response(const ResponseCase& row, const std::vector<std::size_t>& cuts) {
  ResponseParser parser({});
  std::string buffer;
  for (const std::size_t cut : cuts) {
    std::string moved(row.raw.substr(0, cut));
    buffer.assign(buffer.size(), '!');
    buffer.swap(moved);
    const ParseState state = parser.parse(buffer, row.method);
    if (state != ParseState::need_more || cut == row.raw.size()) return outcome(parser, state);
  }
  return "not fed";
}

std::vector<std::size_t> every_byte(std::size_t size) {
  std::vector<std::size_t> cuts(size);
  for (std::size_t i = 0; i < size; ++i) cuts[i] = i + 1;
  return cuts;
}

std::string expected(const RequestCase& row) {
  return row.status == 0 ? std::string(row.reason) : fmt::format("{} {}", row.status, row.reason);
}

ParseState parse(RequestParser& parser, std::string_view raw) {
  parser.reset();
  return parser.parse(raw);
}

std::string fields_of_size(std::size_t bytes) {
  return "X: " + std::string(bytes - 5, 'x') + "\r\n";
}

}  // namespace

TEST_CASE("every request head of the corpus gets its answer, whole") {
  for (const RequestCase& row : request_cases()) {
    INFO(row.name);
    CHECK(feed_request(row.raw, {row.raw.size()}) == expected(row));
  }
}

TEST_CASE("every request head of the corpus gets the same answer byte by byte") {
  for (const RequestCase& row : request_cases()) {
    INFO(row.name);
    CHECK(feed_request(row.raw, every_byte(row.raw.size())) == expected(row));
  }
}

TEST_CASE("every request head of the corpus gets the same answer cut in two anywhere") {
  for (const RequestCase& row : request_cases()) {
    INFO(row.name);
    const std::size_t step = 1 + row.raw.size() / 4096;  // of the longest not every place
    for (std::size_t cut = 1; cut < row.raw.size(); cut += step) {
      INFO(cut);
      REQUIRE(feed_request(row.raw, {cut, row.raw.size()}) == expected(row));
    }
  }
}

TEST_CASE("every response head of the corpus is read the same way however it is cut") {
  for (const ResponseCase& row : response_cases()) {
    INFO(row.name);
    CHECK(feed_response(row, {row.raw.size()}) == row.reason);
    CHECK(feed_response(row, every_byte(row.raw.size())) == row.reason);
    for (std::size_t cut = 1; cut < row.raw.size(); ++cut) {
      INFO(cut);
      REQUIRE(feed_response(row, {cut, row.raw.size()}) == row.reason);
    }
  }
}

TEST_CASE("what follows the head is left alone") {
  RequestParser parser({});
  const std::string_view raw =
      "\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab\0\n\r";
  REQUIRE(parse(parser, raw) == ParseState::done);
  CHECK(raw.substr(parser.head().bytes).starts_with("ab"));
  CHECK(parser.head().field_lines == "Host: a\r\nContent-Length: 3\r\n");
}

TEST_CASE("fields stay right when the buffer moves while the head arrives") {
  const std::string raw = "GET http://b/x HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nX-Two: 2\r\n\r\n";
  RequestParser parser({});
  std::string first = raw.substr(0, raw.size() - 1);
  REQUIRE(parser.parse(first) == ParseState::need_more);
  REQUIRE(parser.parse(raw) == ParseState::done);
  first.assign(first.size(), '!');
  const RequestHead& head = parser.head();
  CHECK(head.method == "GET");
  CHECK(head.target == "/x");
  CHECK(head.authority == "b");
  REQUIRE(head.fields.size() == 3);
  CHECK(head.fields[1].name == "X-One");
  CHECK(head.fields[2].value == "2");
}

TEST_CASE("fields keep their order, their repetition and their bytes") {
  RequestParser parser({});
  REQUIRE(parse(parser,
                "GET / HTTP/1.1\r\nHost: a\r\nX:  1 \r\nx: 2\r\nCookie: a=b\r\nX_Y:\r\n"
                "Segue-Token: t\r\n\r\n") == ParseState::done);
  const RequestHead& head = parser.head();
  REQUIRE(head.fields.size() == 6);
  CHECK(head.fields[1].name == "X");
  CHECK(head.fields[1].value == "1");
  CHECK(head.fields[2].name == "x");
  CHECK(head.fields[4].value.empty());
  CHECK(head.known[0] == KnownField::host);
  CHECK(head.known[1] == KnownField::other);
  CHECK(head.known[3] == KnownField::cookie);
  CHECK(head.known[4] == KnownField::underscore);
  CHECK(head.known[5] == KnownField::segue);
  CHECK(has_underscore_name(head));
}

TEST_CASE("a parser is used again and remembers nothing") {
  RequestParser parser({});
  REQUIRE(parse(parser,
                "OPTIONS http://b?x HTTP/1.0\r\nConnection: keep-alive, X\r\nX: 1\r\n"
                "Max-Forwards: 3\r\nContent-Length: 5\r\n\r\n") == ParseState::done);
  CHECK(parser.head().max_forwards == 3);
  CHECK(parser.head().nominated);
  REQUIRE(parse(parser, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == ParseState::done);
  const RequestHead& head = parser.head();
  CHECK(head.fields.size() == 1);
  CHECK(head.framing == Framing::none);
  CHECK(head.content_length == 0);
  CHECK(head.authority == "a");
  CHECK(head.target == "/");
  CHECK(head.keep_alive);
  CHECK_FALSE(head.nominated);
  CHECK_FALSE(head.max_forwards);
  REQUIRE(parse(parser, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n") == ParseState::refused);
  REQUIRE(parse(parser, "GET / HTTP/1.1\r\nHost: a\r\n\r\n") == ParseState::done);
}

TEST_CASE("Connection, Upgrade and Expect are read") {
  RequestParser parser({});
  REQUIRE(parse(parser,
                "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "\r\n") == ParseState::done);
  CHECK(parser.head().upgrade);
  REQUIRE(parse(parser, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n") ==
          ParseState::done);
  CHECK_FALSE(parser.head().upgrade);
  REQUIRE(parse(parser, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n") ==
          ParseState::done);
  CHECK_FALSE(parser.head().upgrade);
  REQUIRE(parse(parser, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n") ==
          ParseState::done);
  CHECK(parser.head().expect_continue);
  REQUIRE(parse(parser, "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n") == ParseState::done);
  CHECK_FALSE(parser.head().expect_continue);
}

TEST_CASE("damage is refused without waiting for the end of the head") {
  for (const char* beginning :
       {"\x16\x03", "GET  ", "GET\t", "CONNECT ", "GET / HTTP/3.0\r\n", "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\n ", "GET / HTTP/1.1\r\nno colon\r\n", "GET / HTTP/1.1\r\nX: \rX", "@",
        "GET / HTTP/1.1\r\nX\x01"}) {
    INFO(beginning);
    RequestParser parser({});
    CHECK(parser.parse(beginning) == ParseState::refused);
  }
}

TEST_CASE("a head of exactly the allowed size is accepted, one byte more is 431") {
  const HeadLimits limits{.head_bytes = 200, .fields = 100, .target_bytes = 100};
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string fits = start + fields_of_size(200 - start.size() - 2) + "\r\n";
  const std::string too_long = start + fields_of_size(201 - start.size() - 2) + "\r\n";
  REQUIRE(fits.size() == 200);
  CHECK(feed_request(fits, {fits.size()}, limits) == "GET / a none keep");
  CHECK(feed_request(fits, every_byte(fits.size()), limits) == "GET / a none keep");
  CHECK(feed_request(fits + "body", {fits.size() + 4}, limits) == "GET / a none keep");
  CHECK(feed_request(too_long, {too_long.size()}, limits) == "431 head_too_large");
  CHECK(feed_request(too_long, every_byte(too_long.size()), limits) == "431 head_too_large");
}

TEST_CASE("a head that never ends is refused at the limit") {
  RequestParser parser({});
  std::string head = "GET / HTTP/1.1\r\n";
  while (parser.parse(head) == ParseState::need_more) head += "X: " + std::string(1021, 'x');
  CHECK(parser.refusal().status == 431);
  CHECK(head.size() < (34 << 10));
}

TEST_CASE("as many fields as allowed are accepted, one more is 431") {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 99; ++i) head += "X: 1\r\n";
  CHECK(feed_request(head + "\r\n", {head.size() + 2}) == "GET / a none keep");
  CHECK(feed_request(head + "X: 1\r\n", {head.size() + 6}) == "431 too_many_fields");
}

TEST_CASE("a target of exactly the allowed size is accepted, one byte more is 414") {
  const HeadLimits limits{.head_bytes = 1000, .fields = 100, .target_bytes = 100};
  const std::string fits = "GET /" + std::string(99, 'a');
  const std::string end = " HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string good = fits + end;
  const std::string bad = fits + "a" + end;
  CHECK(feed_request(good, {good.size()}, limits) == fits + " a none keep");
  CHECK(feed_request(good, every_byte(good.size()), limits) == fits + " a none keep");
  CHECK(feed_request(bad, {bad.size()}, limits) == "414 target_too_long");
  CHECK(feed_request(bad, every_byte(bad.size()), limits) == "414 target_too_long");
}

TEST_CASE("a target that never ends is refused at its limit") {
  RequestParser parser({});
  std::string head = "GET /";
  while (parser.parse(head) == ParseState::need_more) head += std::string(64, 'a');
  CHECK(parser.refusal().status == 414);
  CHECK(head.size() < (9 << 10));
}

TEST_CASE("a Connection field with more members than fields are allowed is refused") {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close";
  for (int i = 0; i < 100; ++i) head += ",x";
  head += "\r\n\r\n";
  CHECK(feed_request(head, {head.size()}) == "431 connection_too_long");
}

TEST_CASE("Keep-Alive of a backend says how long its connection may idle") {
  ResponseParser parser({});
  REQUIRE(parser.parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: max=9, timeout=5\r\n"
                       "\r\n",
                       "GET") == ParseState::done);
  CHECK(parser.head().keep_alive_seconds == 5);
  parser.reset();
  REQUIRE(parser.parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=\r\n\r\n",
                       "GET") == ParseState::done);
  CHECK_FALSE(parser.head().keep_alive_seconds);
}

TEST_CASE("an interim response is followed by the final one in the same buffer") {
  ResponseParser parser({});
  const std::string_view raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Gone\r\n\r\n";
  REQUIRE(parser.parse(raw, "POST") == ParseState::done);
  CHECK(parser.head().status == 100);
  const std::string_view rest = raw.substr(parser.head().bytes);
  parser.reset();
  REQUIRE(parser.parse(rest, "POST") == ParseState::done);
  CHECK(parser.head().status == 204);
  CHECK(parser.head().reason == "Gone");
}

TEST_CASE("known fields are told apart in any case, near misses are not") {
  const std::pair<std::string_view, KnownField> names[] = {
      {"connection", KnownField::connection},
      {"keep-alive", KnownField::keep_alive},
      {"proxy-connection", KnownField::proxy_connection},
      {"te", KnownField::te},
      {"upgrade", KnownField::upgrade},
      {"transfer-encoding", KnownField::transfer_encoding},
      {"trailer", KnownField::trailer},
      {"proxy-authenticate", KnownField::proxy_authenticate},
      {"proxy-authorization", KnownField::proxy_authorization},
      {"http2-settings", KnownField::http2_settings},
      {"content-length", KnownField::content_length},
      {"host", KnownField::host},
      {"expect", KnownField::expect},
      {"via", KnownField::via},
      {"max-forwards", KnownField::max_forwards},
      {"forwarded", KnownField::forwarded},
      {"x-forwarded-for", KnownField::x_forwarded_for},
      {"x-forwarded-proto", KnownField::x_forwarded_proto},
      {"x-forwarded-host", KnownField::x_forwarded_host},
      {"authorization", KnownField::authorization},
      {"cookie", KnownField::cookie},
      {"set-cookie", KnownField::set_cookie},
      {"date", KnownField::date},
      {"server", KnownField::server},
      {"content-type", KnownField::content_type},
      {"content-encoding", KnownField::content_encoding},
      {"segue-error", KnownField::segue}};
  // A near miss of X-Forwarded-For is still one of its family.
  const auto is_near = [](KnownField known) {
    return known == KnownField::other || known == KnownField::x_forwarded_other;
  };
  for (const auto& [name, known] : names) {
    INFO(name);
    std::string text(name);
    CHECK(classify(text) == known);
    for (char& c : text) c = static_cast<char>(std::toupper(c));
    CHECK(classify(text) == known);
    if (known != KnownField::segue) {
      for (char& c : text) {
        const char kept = c;
        c = '!';
        CHECK(is_near(classify(text)));
        c = kept;
      }
      CHECK(is_near(classify(text + "x")));
    }
  }
  CHECK(classify("content_length") == KnownField::underscore);
  CHECK(classify("segue") == KnownField::other);
  CHECK(classify("") == KnownField::other);
}

}  // namespace segue::gateway::http1
