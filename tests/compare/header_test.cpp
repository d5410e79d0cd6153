// What the heads of two responses are found to differ in.

#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/compare/responses.hpp"

namespace segue::test {
namespace {

using compare::RouteRules;
using compare::Verdict;
using Lines = std::vector<std::string>;
using Fields = std::vector<std::pair<const char*, const char*>>;

struct Case {
  const char* name;
  Fields left;
  Fields right;
  Lines found;
};

Response with(const Fields& fields) {
  Response response;
  for (const auto& [name, value] : fields) response.header(name, value);
  return response;
}

TEST_CASE("header fields are compared by name, whatever its case and their order") {
  const std::vector<Case> cases{
      {"another value",
       {{"Cache-Control", "no-store"}},
       {{"cache-control", "private"}},
       {"header value cache-control: no-store -> private"}},
      {"in another order", {{"A", "1"}, {"B", "2"}}, {{"b", "2"}, {"a", "1"}}, {}},
      {"on one side",
       {{"ETag", "\"x\""}},
       {{"Vary", "a"}},
       {"header missing etag: \"x\" -> ", "header extra vary:  -> a"}},
      {"a list in several fields", {{"Vary", "a"}, {"Vary", "b"}}, {{"Vary", "a, b"}}, {}},
      {"a list in another order",
       {{"Link", "a"}, {"Link", "b"}},
       {{"Link", "b"}, {"Link", "a"}},
       {"header value link: a, b -> b, a"}},
      {"a shape that is lost",
       {{"X-Count", "17"}},
       {{"X-Count", "many"}},
       {"header pattern x-count: 17 -> many"}},
      {"bytes that are no UTF-8",
       {{"X", "\xff"}},
       {{"X", "a"}},
       {"header value x: \xef\xbf\xbd -> a"}},
      {"what is never compared",
       {{"Date", "a"}, {"Server", "b"}, {"Via", "c"}, {"Age", "1"}, {"X-Request-ID", "d"}},
       {{"Connection", "close"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
       {}},
      {"media types that mean the same",
       {{"Content-Type", "text/HTML;charset=UTF-8"}},
       {{"Content-Type", "text/html; charset=utf-8"}},
       {}},
      {"media types that do not",
       {{"Content-Type", "text/html"}},
       {{"Content-Type", "text/plain"}},
       {"header value content-type: text/html -> text/plain"}},
  };
  Comparing comparing;
  for (const Case& each : cases) {
    INFO(each.name);
    CHECK(lines_of(comparing(with(each.left), with(each.right))) == each.found);
  }
}

TEST_CASE("cookies are compared one by one, each attribute by itself") {
  Comparing comparing;
  const Response left =
      with({{"Set-Cookie", "sid=1; Path=/; HttpOnly"}, {"Set-Cookie", "theme=dark"}});
  const Response right =
      with({{"Set-Cookie", "theme=dark"}, {"Set-Cookie", "sid=2; path=/; Secure"}});
  CHECK(lines_of(comparing(left, right)) ==
        Lines{"header value set-cookie: sid: 1 -> 2",
              "header missing set-cookie: sid; httponly: HttpOnly -> ",
              "header extra set-cookie: sid; secure:  -> Secure"});
}

TEST_CASE("headers that a rule lists are ignored in any case") {
  RouteRules rules;
  rules.ignore_headers = {"X-Backend"};
  Comparing comparing(rules);
  CHECK(comparing(with({{"x-backend", "a"}}), with({{"X-BACKEND", "b"}})).verdict == Verdict::same);
}

TEST_CASE("trailers are compared as fields of their own") {
  Comparing comparing;
  Response left;
  Response right;
  auto* const field = left.exchange.mutable_response()->add_trailers();
  field->set_name("Checksum");
  field->set_value("1");
  right.header("checksum", "1");
  CHECK(lines_of(comparing(left, right)) ==
        Lines{"header extra checksum:  -> 1", "header missing trailer: checksum: 1 -> "});
}

TEST_CASE("what redaction hid in a header is neither equal nor different") {
  Comparing comparing;
  Response left = with({{"Set-Cookie", "***"}, {"X-Token", "h:k1:0123456789abcdefghijkl"}});
  Response right = with({{"Set-Cookie", "***"}, {"X-Token", "h:k1:ZZZZ456789abcdefghijkl"}});
  left.redacted("header:set-cookie", v1::Redaction::MASK);
  right.redacted("header:set-cookie", v1::Redaction::MASK);
  left.redacted("header:x-token", v1::Redaction::HASH);
  right.redacted("header:x-token", v1::Redaction::HASH);
  const auto& comparison = comparing(left, right);
  CHECK(comparison.hidden == Lines{"set-cookie"});
  CHECK(lines_of(comparison) ==
        Lines{"header value x-token: h:k1:0123456789abcdefghijkl -> h:k1:ZZZZ456789abcdefghijkl"});
  const Response none = with({{"X-Token", "h:k1:0123456789abcdefghijkl"}});
  CHECK(lines_of(comparing(left, none)) == Lines{"header missing set-cookie: *** -> "});
}

TEST_CASE("three stars that no redaction put there are a value") {
  Comparing comparing;
  CHECK(lines_of(comparing(with({{"Rating", "***"}}), with({{"Rating", "**"}}))) ==
        Lines{"header value rating: *** -> **"});
}

TEST_CASE("every ignored header is in lower case and there once") {
  const auto& names = compare::ignored_headers();
  const std::set<std::string> unique(names.begin(), names.end());
  CHECK(unique.size() == names.size());
  for (const std::string& name : names)
    CHECK(name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos);
}

TEST_CASE("status and credentials decide before anything else") {
  Comparing comparing;
  const auto verdict = [&](std::uint32_t left, std::uint32_t right) {
    return comparing(Response(left), Response(right)).verdict;
  };
  CHECK(verdict(200, 200) == Verdict::same);
  CHECK(verdict(200, 404) == Verdict::different);
  CHECK(verdict(200, 401) == Verdict::credentials);
  CHECK(verdict(302, 403) == Verdict::credentials);
  CHECK(verdict(401, 403) == Verdict::different);
  CHECK(verdict(403, 200) == Verdict::different);
  CHECK(lines_of(comparing(Response(200), Response(500))) == Lines{"status value : 200 -> 500"});
}

TEST_CASE("bodies of another class of status are not held against each other") {
  Comparing comparing;
  Response left(200);
  Response right(500);
  left.body("application/json", R"({"a":1})");
  right.body("application/json", R"({"error":"x"})");
  CHECK(lines_of(comparing(left, right)) == Lines{"status value : 200 -> 500"});
  Response created(201);
  created.body("application/json", R"({"a":2})");
  CHECK(lines_of(comparing(left, created)) ==
        Lines{"status value : 200 -> 201", "value $.a: 1 -> 2"});
}

Response without_response(v1::Outcome outcome) {
  Response response(0);
  response.exchange.set_outcome(outcome);
  return response;
}

TEST_CASE("without a response on the left, or for the gateway's own reasons, nothing is compared") {
  Comparing comparing;
  const Response whole(200);
  Response refused(503);
  refused.exchange.set_outcome(v1::OUTCOME_REFUSED);
  const Response dead = without_response(v1::OUTCOME_UPSTREAM_TIMEOUT);
  const Response ended = without_response(v1::OUTCOME_INTERRUPTED);
  const std::vector<std::pair<const Response*, const Response*>> pairs{
      {&dead, &whole}, {&refused, &whole}, {&dead, &dead}, {&whole, &refused}, {&whole, &ended}};
  for (const auto& [left, right] : pairs) {
    const auto& comparison = comparing(*left, *right);
    CHECK(comparison.verdict == Verdict::incomparable);
    CHECK(comparison.reason == "no response");
  }
}

TEST_CASE("that the right backend alone does not answer is a difference") {
  Comparing comparing;
  const auto found = [&](const Response& right) {
    return lines_of(comparing(Response(200), right));
  };
  CHECK(found(without_response(v1::OUTCOME_UPSTREAM_TIMEOUT)) ==
        Lines{"status missing : 200 -> timeout"});
  CHECK(found(without_response(v1::OUTCOME_UPSTREAM_RESET)) ==
        Lines{"status missing : 200 -> reset"});
  Response unreached(502);
  unreached.exchange.set_outcome(v1::OUTCOME_UPSTREAM_CONNECT_FAILED);
  CHECK(found(unreached) == Lines{"status missing : 200 -> no connection"});
}

}  // namespace
}  // namespace segue::test
