#include "routing/jwt_claim.hpp"
#include "routing/key_source.hpp"
#include "tests/routing/rules.hpp"

namespace segue::routing {
namespace {

TEST_CASE("key sources read and write their text form") {
  for (const char* text : {"header:X-User", "cookie:uid", "query:u", "path:id",
                           "jwt:authorization/sub", "jwt:x-token/https://claims.example/id", "peer"}) {
    INFO(text);
    const auto source = KeySource::parse(text);
    REQUIRE(source);
    CHECK(text_of(*source) == text);
  }
  for (const char* text : {"", "cookie", "cookie:", "jwt:authorization", "jwt:/sub", "jwt:a/",
                           "form:x", "peer:x", "Peer"}) {
    INFO(text);
    CHECK_FALSE(KeySource::parse(text));
  }
}

// Values of libxxhash's one-shot XXH3_64bits over the joined bytes, as its command line gives
// them; a change here moves users.
TEST_CASE("buckets never change") {
  CHECK(bucket_of("", "") == 0xc44bdff4074eecdbU % kBuckets);
  CHECK(bucket_of("search-read", "u1") == 6114);
  CHECK(bucket_of("s", std::string(400, 'x')) == 3313);  // longer than what is joined on the stack
  CHECK(bucket_of("ab", "c") != bucket_of("a", "bc"));   // the NUL keeps them apart
}

TEST_CASE("raising the share only moves users from legacy to new") {
  const auto low = table_of({path("r", "/x").split(10, "cookie:uid")});
  const auto high = table_of({path("r", "/x").split(25.5, "cookie:uid")});
  int moved = 0;
  for (int user = 0; user < 1000; ++user) {
    const Request request{"/x", "GET", "h", {{"cookie", "uid=" + std::to_string(user)}}};
    const Decided before(*low, request);
    const Decided after(*high, request);
    CHECK(before->bucket == after->bucket);
    CHECK_FALSE((before->backend == 1 && after->backend == 0));
    moved += before->backend != after->backend ? 1 : 0;
  }
  CHECK(moved > 100);
}

TEST_CASE("shares of 0 and 100 leave no one behind") {
  const auto none = table_of({path("r", "/x").split(0, "peer")});
  const auto all = table_of({path("r", "/x").split(100, "peer")});
  for (int i = 0; i < 300; ++i) {
    const Request request{"/x", "GET", "h", {}, "http", "10.0.0." + std::to_string(i)};
    CHECK(Decided(*none, request)->backend == 0);
    CHECK(Decided(*all, request)->backend == 1);
  }
}

TEST_CASE("an empty key counts as missing, and missing goes where the rule says") {
  RouteRule rule = path("r", "/x").split(50, "cookie:uid");
  rule.split->missing_to_new = true;
  const auto table = table_of({rule});
  const Decided empty(*table, {"/x", "GET", "h", {{"cookie", "uid="}}});
  CHECK(empty->bucket == -1);
  CHECK(empty->backend == 1);
}

TEST_CASE("a salt of its own keeps users in place when a route is renamed") {
  RouteRule rule = path("old-name", "/x").split(50, "peer");
  rule.split->salt = "campaign";
  const auto before = table_of({rule});
  rule.name = "new-name";
  const auto after = table_of({rule});
  rule.split->salt.clear();
  const auto reshuffled = table_of({rule});
  int differ = 0;
  for (int i = 0; i < 100; ++i) {
    const Request request{"/x", "GET", "h", {}, "http", "10.0.0." + std::to_string(i)};
    CHECK(Decided(*before, request)->bucket == Decided(*after, request)->bucket);
    differ += Decided(*before, request)->bucket != Decided(*reshuffled, request)->bucket ? 1 : 0;
  }
  CHECK(differ > 90);
}

// Encodes as JWTs do, so that the cases below can be read.
std::string token(std::string_view json) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string out = "eyJhbGciOiJub25lIn0.";
  for (std::size_t i = 0; i < json.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (i + j < json.size() ? static_cast<unsigned char>(json[i + j]) : 0U);
    const std::size_t digits = std::min<std::size_t>(3, json.size() - i) + 1;
    for (std::size_t j = 0; j < digits; ++j) out += kAlphabet[bits >> (18 - 6 * j) & 63];
  }
  return out + ".c2ln";
}

std::string claim(std::string_view json, std::string_view name = "sub") {
  std::string storage;
  return std::string(read_jwt_claim(token(json), name, storage).value_or("(none)"));
}

TEST_CASE("a claim is read from the payload of a token, without verification") {
  CHECK(claim(R"({"sub":"c-17"})") == "c-17");
  CHECK(claim(R"({ "iss" : "x" , "sub" : "c 17" })") == "c 17");
  CHECK(claim(R"({"a":{"sub":"no"},"b":["sub","no"],"sub":"yes"})") == "yes");
  CHECK(claim(R"({"sub":42})") == "42");
  CHECK(claim(R"({"sub":true,"x":1})") == "true");
  CHECK(claim(R"({"s\u0075b":"caf\u00e9 \ud83d\ude00 \"q\" \/"})") == "café 😀 \"q\" /");
  CHECK(claim(R"({"https://c.example/id":"z"})", "https://c.example/id") == "z");
  std::string storage;
  CHECK(read_jwt_claim("bearer " + token(R"({"sub":"x"})"), "sub", storage) == "x");
}

TEST_CASE("a token that is damaged or lacks the claim has no key") {
  CHECK(claim(R"({"sub":null})") == "(none)");
  CHECK(claim(R"({"sub":{"a":1}})") == "(none)");
  CHECK(claim(R"({"sub":[1]})") == "(none)");
  CHECK(claim(R"({})") == "(none)");
  CHECK(claim(R"({"x":1})") == "(none)");
  CHECK(claim(R"({"sub":"x)") == "(none)");
  CHECK(claim(R"({"sub":"\ud83d"})") == "(none)");
  CHECK(claim(R"({"sub":"\q"})") == "(none)");
  CHECK(claim(R"(["sub","x"])") == "(none)");
  CHECK(claim("") == "(none)");
  CHECK(claim(R"({"a":)" + std::string(5000, '[')) == "(none)");
  std::string storage;
  for (const char* bad : {"", "a", "a.b", "..", "a.!.c", "Bearer ", "Basic dTpw"}) {
    INFO(bad);
    CHECK_FALSE(read_jwt_claim(bad, "sub", storage));
  }
}

}  // namespace
}  // namespace segue::routing
