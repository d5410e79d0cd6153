#include <catch2/catch_test_macros.hpp>
#include <string>

#include "recorder/redaction/json_redactor.hpp"
#include "recorder/redaction/route_rules.hpp"

namespace segue::recorder {
namespace {

// `document` with these rules; "invalid" when it is no JSON.
std::string redacted(std::string document, const Redactions& redactions) {
  static JsonRedactor redactor;
  static TextSearch search;
  const RouteRules rules(redactions);
  Substitutes substitutes(nullptr);
  substitutes.start(rules.rules);
  substitutes.enter(1);
  const std::size_t size = document.size();
  document.append(JsonRedactor::kPaddingBytes, ' ');
  const std::string_view text = std::string_view(document).substr(0, size);
  if (!redactor.is_valid(text)) return "invalid";
  std::string out;
  REQUIRE(redactor.redact(text, {rules.json, rules.text()}, search, substitutes, out));
  return out;
}

std::string masked(const std::string& document, const std::string& path) {
  return redacted(document, {.json = {{path, RedactionMode::mask}}});
}
std::string dropped(const std::string& document, const std::string& path) {
  return redacted(document, {.json = {{path, RedactionMode::drop}}});
}

TEST_CASE("bytes outside the hidden value stay as they were") {
  CHECK(masked(" { \"a\" : 1.50 ,\t\"p\" :\n \"x\" , \"z\":[ ] }\n", "$.p") ==
        " { \"a\" : 1.50 ,\t\"p\" :\n \"***\" , \"z\":[ ] }\n");
  CHECK(masked(R"({"a":{"p":[1,{"q":"}]"}]},"b":2})", "$.a.p") == R"({"a":{"p":"***"},"b":2})");
  CHECK(masked(R"({"a":1})", "$.b") == R"({"a":1})");
}

TEST_CASE("every duplicate of a name counts, and names are compared unescaped") {
  CHECK(masked(R"({"p":1,"p":"2","p":{"p":3}})", "$.p") == R"({"p":"***","p":"***","p":"***"})");
  CHECK(masked(R"({"\u0070\u0061ss":"x"})", "$.pass") == R"({"\u0070\u0061ss":"***"})");
  CHECK(masked(R"({"a\"b":"x","\ud83d\ude00":1})", "$['\xf0\x9f\x98\x80']") ==
        R"({"a\"b":"x","\ud83d\ude00":"***"})");
  CHECK(masked(R"({"a\"b":"x"})", R"($["a\"b"])") == R"({"a\"b":"***"})");
}

TEST_CASE("indexes count from either end, and * and .. reach what they say") {
  CHECK(masked("[1,[2,3],4]", "$[0]") == R"(["***",[2,3],4])");
  CHECK(masked("[1,[2,3],4]", "$[-1]") == R"([1,[2,3],"***"])");
  CHECK(masked("[1,[2,3],4]", "$[1][-2]") == R"([1,["***",3],4])");
  CHECK(masked("[1,[2,3],[],4]", "$..[-1]") == R"([1,[2,"***"],[],"***"])");
  CHECK(masked(R"({"a":[{"p":1},{"p":2,"q":3}]})", "$.a[*].p") ==
        R"({"a":[{"p":"***"},{"p":"***","q":3}]})");
  CHECK(masked(R"({"a":{"p":1},"p":[{"p":2}],"b":[{"p":3}]})", "$..p") ==
        R"({"a":{"p":"***"},"p":"***","b":[{"p":"***"}]})");
  CHECK(masked(R"({"x":{"a":{"y":{"b":1,"c":2}}},"b":3})", "$..a..b") ==
        R"({"x":{"a":{"y":{"b":"***","c":2}}},"b":3})");
  CHECK(masked("[[[1]]]", "$") == R"("***")");
}

TEST_CASE("a dropped member takes one comma with it, a dropped element becomes null") {
  CHECK(dropped(R"({"p":1,"a":2})", "$.p") == R"({"a":2})");
  CHECK(dropped(R"({"a":2,"p":1})", "$.p") == R"({"a":2})");
  CHECK(dropped(R"({"p":1})", "$.p") == R"({})");
  CHECK(dropped(R"({"a":1, "p":1 , "b":[1,2] ,"p":{} })", "$.p") == R"({"a":1,  "b":[1,2]  })");
  CHECK(dropped(R"({"p":1,"p":2,"p":3})", "$.p") == R"({})");
  CHECK(dropped("[1,2,3]", "$[1]") == "[1,null,3]");
  CHECK(dropped(R"({"a":[{"p":1},{"b":2,"p":1}]})", "$..p") == R"({"a":[{},{"b":2}]})");
  for (const char* document : {R"({"p":[1,"}"],"a":{"p":2,"b":3,"p":4},"p":5})", R"([{"p":1}])"})
    CHECK(dropped(dropped(document, "$..p"), "$..p") == dropped(document, "$..p"));
}

TEST_CASE("of the same value the stricter rule counts") {
  const Redactions rules{.json = {{"$.a", RedactionMode::mask}, {"$..a", RedactionMode::drop}}};
  CHECK(redacted(R"({"a":1,"b":{"a":2}})", rules) == R"({"b":{}})");
}

TEST_CASE("patterns are found in strings, names and numbers, escaped or not") {
  const Redactions rules{.patterns = {{PatternKind::card, "card", "", RedactionMode::mask},
                                      {PatternKind::email, "email", "", RedactionMode::mask}}};
  CHECK(redacted(R"({"n":4111111111111111,"f":4.111111111111111,"t":"pay 4111 1111 1111 1111."})",
                 rules) == R"({"n":"***","f":4.111111111111111,"t":"pay ***."})");
  CHECK(redacted(R"({"a\u0040b.example":["x \u0061@\u0062.example y"]})", rules) ==
        R"({"***":["x *** y"]})");
}

TEST_CASE("what is no JSON in UTF-8 is invalid, however deep") {
  for (const char* broken : {"", "{", "{\"a\":1,}", "[1 2]", "{'a':1}", "[\"\xff\"]", "1 2",
                             "{\"a\":\"\x01\"}", "nul", "[01]"})
    CHECK(masked(broken, "$.a") == "invalid");
  CHECK(masked(std::string(2'000'000, '['), "$..a") == "invalid");
  const std::string deep = std::string(1'000, '[') + "{\"p\":1}" + std::string(1'000, ']');
  const std::string hidden = std::string(1'000, '[') + "{\"p\":\"***\"}" + std::string(1'000, ']');
  CHECK(masked(deep, "$..p") == hidden);
}

TEST_CASE("a path that is none says where and why") {
  JsonPath::Problem problem;
  for (const char* good : {"$", "$.a", "$['a b']", "$[\"x\"][0]", "$..password", "$.a[*].b[-1]",
                           "$..*", "$..['x']", "$.\xc3\xa4"})
    CHECK(JsonPath::parse(good, problem).has_value());
  struct Bad {
    const char* text;
    std::size_t at;
  };
  for (const auto& [text, at] : {Bad{"a", 0},
                                 {"$a", 1},
                                 {"$.", 2},
                                 {"$.a-b", 3},
                                 {"$[", 2},
                                 {"$['a'", 5},
                                 {"$[1:2]", 3},
                                 {"$[?@.a]", 2},
                                 {"$['a','b']", 5}}) {
    CHECK_FALSE(JsonPath::parse(text, problem).has_value());
    INFO(text << ": " << problem.what);
    CHECK(problem.at == at);
  }
}

}  // namespace
}  // namespace segue::recorder
