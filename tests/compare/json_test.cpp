// What two JSON bodies are found to differ in.

#include <catch2/catch_test_macros.hpp>

#include "tests/compare/responses.hpp"

namespace segue::test {
namespace {

using compare::ArrayPolicy;
using compare::IgnoredType;
using compare::PathRule;
using compare::RouteRules;
using Lines = std::vector<std::string>;

struct Case {
  const char* left;
  const char* right;
  Lines found;
};

void check(Comparing& comparing, const std::vector<Case>& cases) {
  for (const Case& each : cases) {
    INFO(each.left << "   against   " << each.right);
    CHECK(comparing.found(each.left, each.right) == each.found);
  }
}

PathRule rule(std::string path, ArrayPolicy array, std::string key = {}) {
  PathRule made;
  made.path = std::move(path);
  made.array = array;
  made.array_key = std::move(key);
  return made;
}

PathRule ignoring(std::string path, IgnoredType type, std::string pattern = {}) {
  PathRule made;
  made.path = std::move(path);
  made.ignore = type;
  made.pattern = std::move(pattern);
  return made;
}

TEST_CASE("values, types, and members that one side has alone are found at their path") {
  Comparing comparing;
  check(comparing,
        {{R"({"a":1})", R"({"a":1})", {}},
         {R"({"a":1})", R"({"a":2})", {"value $.a: 1 -> 2"}},
         {R"({"a":1})", R"({"a":"1"})", {R"(type $.a: 1 -> "1")"}},
         {R"({"a":null})", R"({"a":{"b":1}})", {R"(type $.a: null -> {"b":1})"}},
         {R"({"a":true})", R"({"a":false})", {"value $.a: true -> false"}},
         {R"({"a":null})", R"({})", {"missing $.a: null -> "}},
         {R"({"b":1})", R"({"a":[1, 2],"b":1})", {"extra $.a:  -> [1, 2]"}},
         {R"({"a":{"b":[{"c":"x"}]}})",
          R"({"a":{"b":[{"c":"y"}]}})",
          {R"(value $.a.b[0].c ($.a.b[*].c): "x" -> "y")"}},
         {R"([1])", R"({})", {"type $: [1] -> {}"}},
         {R"("a")", R"("b")", {R"(value $: "a" -> "b")"}},
         {" 1 ", "2", {"value $: 1 -> 2"}},
         {"{\"a b\":1}", "{\"a b\":2}", {"value $['a b']: 1 -> 2"}},
         {R"({"it's":1})", R"({"it's":2})", {R"(value $['it\'s']: 1 -> 2)"}},
         {R"({"\n":1})", R"({"\n":2})", {R"(value $['\u000a']: 1 -> 2)"}},
         {R"({"2024-01-02":1,"17":[1]})",
          R"({"2024-01-02":2,"17":[2]})",
          {R"(value $['2024-01-02'] ($.*): 1 -> 2)", "value $.17[0] ($.*[*]): 1 -> 2"}}});
}

TEST_CASE("the order of members never counts") {
  Comparing comparing;
  check(comparing, {{R"({"a":1,"b":{"c":1,"d":2}})", R"({"b":{"d":2,"c":1},"a":1})", {}},
                    {R"({"a":1,"b":2,"c":3})", R"({"c":3,"a":1,"b":4})", {"value $.b: 2 -> 4"}}});
}

TEST_CASE("numbers are equal by value, exactly, whatever their notation and length") {
  Comparing comparing;
  check(comparing, {{"[1]", "[1.0]", {}},
                    {"[1]", "[1e0]", {}},
                    {"[100]", "[1E+2]", {}},
                    {"[0.001]", "[1e-3]", {}},
                    {"[0]", "[-0.0]", {}},
                    {"[0e999999999999999999999]", "[0]", {}},
                    {"[1e999999999999999999999]",
                     "[1e999999999999999999998]",
                     {"value $[0] ($[*]): 1e999999999999999999999 -> 1e999999999999999999998"}},
                    {"[-1]", "[1]", {"value $[0] ($[*]): -1 -> 1"}},
                    {"[9007199254740993]",
                     "[9007199254740992]",
                     {"value $[0] ($[*]): 9007199254740993 -> 9007199254740992"}},
                    {"[18446744073709551616]", "[18446744073709551616.0]", {}},
                    {"[123456789012345678901234567890]",
                     "[123456789012345678901234567891]",
                     {"value $[0] ($[*]): 123456789012345678901234567890 -> "
                      "123456789012345678901234567891"}},
                    {"[0.1]",
                     "[0.10000000000000000001]",
                     {"value $[0] ($[*]): 0.1 -> 0.10000000000000000001"}}});
}

TEST_CASE("members of one name are compared in the order in which they come") {
  Comparing comparing;
  check(
      comparing,
      {{R"({"a":1,"a":2})", R"({"a":1,"a":2})", {}},
       {R"({"a":1,"a":2})", R"({"a":2,"a":1})", {"value $.a: 1 -> 2", "value $.a#2 ($.a): 2 -> 1"}},
       {R"({"a":1,"b":0,"a":2})", R"({"b":0,"a":1})", {"missing $.a#2 ($.a): 2 -> "}}});
}

TEST_CASE("strings are compared by what they mean, not by how they are escaped") {
  Comparing comparing;
  check(comparing,
        {{R"(["\u00e9\/\n"])", "[\"\u00e9/\\u000a\"]", {}},
         {R"({"\u0061":1})", R"({"a":1})", {}},
         {R"(["\ud83d\ude00"])", "[\"\U0001f600\"]", {}},
         {R"(["\ud83d"])", R"(["\uD83D"  ])", {}},
         {R"(["\ud83d\n\ud83d\ude00"])", "[\"\\ud83d\\u000a\U0001f600\"]", {}},
         {R"(["\ud83d"])", R"(["\\ud83d"])", {R"(value $[0] ($[*]): "\ud83d" -> "\\ud83d")"}},
         {R"({"\ud83d":1})", R"({"\uD83D":1})", {}},
         {R"(["\ud83d"])", R"(["\ud83e"])", {R"(value $[0] ($[*]): "\ud83d" -> "\ud83e")"}},
         {"\xef\xbb\xbf[1]", "[1]", {}}});
}

TEST_CASE("arrays of different length are aligned, so that one insertion is one difference") {
  Comparing comparing;
  check(
      comparing,
      {{"[1,2,3]", "[1,2]", {"length $: 3 elements -> 2 elements", "missing $[2] ($[*]): 3 -> "}},
       {"[1,2,3]", "[0,1,2,3]", {"length $: 3 elements -> 4 elements", "extra $[0] ($[*]):  -> 0"}},
       {"[1,2,3]",
        "[1,5,3,4]",
        {"length $: 3 elements -> 4 elements", "value $[1] ($[*]): 2 -> 5",
         "extra $[3] ($[*]):  -> 4"}},
       {R"([{"id":"a1","name":"x","n":1},{"id":"a2","name":"y","n":2}])",
        R"([{"id":"b0","name":"w","n":0},{"id":"b1","name":"x","n":1},
              {"id":"b2","name":"y","n":2}])",
        {"length $: 2 elements -> 3 elements",
         R"(extra $[0] ($[*]):  -> {"id":"b0","name":"w","n":0})",
         R"(value $[0].id ($[*].id): "a1" -> "b1")", R"(value $[1].id ($[*].id): "a2" -> "b2")"}},
       {"[]", "[]", {}},
       {"[]", "[[]]", {"length $: 0 elements -> 1 element", "extra $[0] ($[*]):  -> []"}}});
}

TEST_CASE("the same elements in another order are one difference") {
  Comparing comparing;
  check(comparing,
        {{"[1,2,3]", "[3,1,2]", {"order $: [1,2,3] -> [3,1,2]"}},
         {R"({"a":[{"b":1,"c":2},7,{"b":2}]})",
          R"({"a":[{"b":2},7,{"c":2,"b":1.0}]})",
          {R"(order $.a: [{"b":1,"c":2},7,{"b":2}] -> [{"b":2},7,{"c":2,"b":1.0}])"}},
         {"[1,2,3]", "[3,2,4]", {"value $[0] ($[*]): 1 -> 3", "value $[2] ($[*]): 3 -> 4"}}});
}

TEST_CASE("an array that is a set has no order, and counts what occurs more than once") {
  RouteRules rules;
  rules.json = {rule("$.tags", ArrayPolicy::set)};
  Comparing comparing(rules);
  check(comparing,
        {{R"({"tags":[1,2,{"a":[1]}]})", R"({"tags":[{"a":[1]},2.0,1]})", {}},
         {R"({"tags":[1,1,2]})",
          R"({"tags":[1,2,2]})",
          {"missing $.tags[1] ($.tags[*]): 1 -> ", "extra $.tags[2] ($.tags[*]):  -> 2"}},
         {R"({"tags":["a"]})",
          R"({"tags":["b","a"]})",
          {"length $.tags: 1 element -> 2 elements", R"(extra $.tags[0] ($.tags[*]):  -> "b")"}}});
}

TEST_CASE("elements that are told by a key are compared with their like") {
  RouteRules rules;
  rules.json = {rule("$..items", ArrayPolicy::by_key, "$.id")};
  Comparing comparing(rules);
  check(comparing, {{R"({"items":[{"id":1,"n":"a"},{"id":2,"n":"b"}]})",
                     R"({"items":[{"n":"b","id":2},{"n":"a","id":1.0}]})",
                     {}},
                    {R"({"items":[{"id":1,"n":"a"},{"id":2,"n":"b"}]})",
                     R"({"items":[{"n":"c","id":2},{"n":"d","id":3}]})",
                     {R"(missing $.items[0] ($.items[*]): {"id":1,"n":"a"} -> )",
                      R"(value $.items[1].n ($.items[*].n): "b" -> "c")",
                      R"(extra $.items[1] ($.items[*]):  -> {"n":"d","id":3})"}},
                    {R"({"items":[{"id":1,"n":"a"},{"id":1,"n":"b"},{"x":1}]})",
                     R"({"items":[{"x":2},{"id":1,"n":"a"},{"id":1,"n":"c"}]})",
                     {R"(value $.items[1].n ($.items[*].n): "b" -> "c")",
                      "value $.items[2].x ($.items[*].x): 1 -> 2"}}});
}

TEST_CASE("what rules ignore is ignored, and nothing beside it") {
  RouteRules rules;
  rules.ignore_json = {"$.at", "$..noise", "$.list[-1]"};
  rules.json = {ignoring("$..id", IgnoredType::uuid), ignoring("$..when", IgnoredType::timestamp),
                ignoring("$.ref", IgnoredType::pattern, "R-[0-9]+")};
  PathRule tolerant;
  tolerant.path = "$..price";
  tolerant.tolerance = 0.3;
  rules.json.push_back(tolerant);
  Comparing comparing(rules);
  const char* const uuid = R"({"id":"3f2504e0-4f89-11d3-9a0c-0305e82c3301"})";
  check(comparing,
        {{R"({"at":1,"a":{"noise":1}})", R"({"a":{"noise":{}}})", {}},
         {R"({"list":[1,2]})", R"({"list":[1,3]})", {}},
         {R"({"list":[1,2,3]})", R"({"list":[1,3,3]})", {"value $.list[1] ($.list[*]): 2 -> 3"}},
         {uuid, R"({"id":"9B2D1A60-0000-4000-8000-00000000ABCD"})", {}},
         {uuid,
          R"({"id":"n/a"})",
          {R"(pattern $.id: "3f2504e0-4f89-11d3-9a0c-0305e82c3301" -> "n/a")"}},
         {uuid, R"({"id":17})", {R"(type $.id: "3f2504e0-4f89-11d3-9a0c-0305e82c3301" -> 17)"}},
         {uuid, R"({})", {R"(missing $.id: "3f2504e0-4f89-11d3-9a0c-0305e82c3301" -> )"}},
         {R"({"when":"2024-01-02T03:04:05Z"})", R"({"when":"2024-01-02 03:04:06.123+01:00"})", {}},
         {R"({"when":"Sun, 06 Nov 1994 08:49:37 GMT"})", R"({"when":"2024-01-02T03:04:06z"})", {}},
         {R"({"when":"2024-01-02T03:04:05Z"})",
          R"({"when":"soon"})",
          {R"(pattern $.when: "2024-01-02T03:04:05Z" -> "soon")"}},
         {R"({"ref":"R-1"})", R"({"ref":"R-22"})", {}},
         {R"({"ref":"R-1"})", R"({"ref":"xR-22"})", {R"(value $.ref: "R-1" -> "xR-22")"}},
         {R"({"x":[{"price":1.0}]})", R"({"x":[{"price":1.3}]})", {}},
         {R"({"x":[{"price":-1e-6000}]})", R"({"x":[{"price":0.2}]})", {}},
         {R"({"x":[{"price":1e-9999999999999999999}]})", R"({"x":[{"price":0}]})", {}},
         {R"({"price":1e6000})", R"({"price":2e6000})", {"value $.price: 1e6000 -> 2e6000"}},
         {R"({"x":[{"price":1.0}]})",
          R"({"x":[{"price":1.31}]})",
          {"value $.x[0].price ($.x[*].price): 1.0 -> 1.31"}}});
}

TEST_CASE("ignored and tolerated values do not keep elements of a set apart") {
  RouteRules rules;
  rules.ignore_json = {"$[*].noise"};
  rules.json = {rule("$", ArrayPolicy::set)};
  PathRule tolerant;
  tolerant.path = "$[*].n";
  tolerant.tolerance = 1;
  rules.json.push_back(tolerant);
  Comparing comparing(rules);
  check(comparing,
        {{R"([{"n":1,"noise":7},{"n":10}])", R"([{"n":11,"noise":3},{"n":2}])", {}},
         {R"([{"n":1}])",
          R"([{"n":3}])",
          {R"(missing $[0] ($[*]): {"n":1} -> )", R"(extra $[0] ($[*]):  -> {"n":3})"}}});
}

TEST_CASE("a value that loses its shape is told from one that merely varies") {
  Comparing comparing;
  check(comparing,
        {{R"(["3f2504e0-4f89-11d3-9a0c-0305e82c3301"])",
          R"(["9b2d1a60-0000-4000-8000-00000000abcd"])",
          {R"(value $[0] ($[*]): "3f2504e0-4f89-11d3-9a0c-0305e82c3301" -> )"
           R"("9b2d1a60-0000-4000-8000-00000000abcd")"}},
         {R"(["12345678"])", R"(["1234abcd"])", {R"(value $[0] ($[*]): "12345678" -> "1234abcd")"}},
         {R"(["12345678"])", R"(["twelve"])", {R"(pattern $[0] ($[*]): "12345678" -> "twelve")"}},
         {R"(["name"])", R"([""])", {R"(pattern $[0] ($[*]): "name" -> "")"}},
         {R"(["https://a.example/"])",
          R"(["/"])",
          {R"(pattern $[0] ($[*]): "https://a.example/" -> "/")"}},
         {R"(["dGhpcyBpcyBhIHRva2VuMQ=="])",
          R"(["ZGlmZmVyZW50IHRva2VuMg=="])",
          {R"(value $[0] ($[*]): "dGhpcyBpcyBhIHRva2VuMQ==" -> )"
           R"("ZGlmZmVyZW50IHRva2VuMg==")"}}});
}

TEST_CASE("what is not JSON is said to be malformed, and is no crash") {
  Comparing comparing;
  for (const char* bad :
       {"{\"a\":1,}", "[1,]",      "[1 2]",       "[01]",       "[1.]",    "[+1]", "[.5]",
        "[1e]",       "[tru]",     "[nulll]",     "{\"a\" 1}",  "{a:1}",   "[1",   "{\"a\":1",
        "\"abc",      "[\"\\x\"]", "[\"\\u12\"]", "[1]]",       "[1] [2]", "1 2",  "1,2",
        "1],[2",      "{}x",       "[\"\x01\"]",  "[\"\xff\"]", "[-]",     "nul",  "]",
        "[,1]",       "{\"a\":}",  "{\"a\"}",     "[\"a\":1]",  " ",       "[1}",  "{\"\\q\":1}"}) {
    INFO(bad);
    const auto found = comparing.found("[1]", bad);
    REQUIRE(found.size() == 1);
    CHECK(found[0].starts_with("malformed : [1] -> not JSON ("));
    CHECK(comparing.found(bad, bad).empty());
    CHECK(comparing.found(bad, "[1]").size() == 1);
  }
  CHECK(comparing.found("oops", "oops!") ==
        Lines{"malformed : not JSON (a value is none of JSON's): oops -> "
              "not JSON (a value is none of JSON's): oops!",
              "value line 1 (line [*]): oops -> oops!"});
}

TEST_CASE("JSON that is deeper than any limit is not compared, and is no crash") {
  Comparing comparing;
  const std::string deep(100'000, '[');
  const std::string closed = deep + std::string(100'000, ']');
  const auto& comparison = comparing(json(closed), json(closed + " "));
  CHECK(comparison.verdict == compare::Verdict::incomparable);
  CHECK(comparison.reason == "too large");
}

TEST_CASE("of one kind and field no more differences are listed than the limit allows") {
  Comparing comparing;
  std::string left = "[0";
  std::string right = "[1";
  for (int i = 0; i < 5'000; ++i) {
    left += ",0";
    right += ",1";
  }
  CHECK(comparing.found(left + "]", right + "]").size() == 20);
}

TEST_CASE("of long values the part is shown where they begin to differ") {
  Comparing comparing;
  const std::string same(500, 'x');
  const auto& comparison =
      comparing(json("[\"" + same + "a\"]"), json("[\"" + same + "\u00e9b\"]"));
  REQUIRE(comparison.differences.size() == 1);
  const auto& difference = comparison.differences[0];
  CHECK(difference.left.size() <= compare::Difference::kMostText);
  CHECK(difference.left.ends_with("xa\""));
  CHECK(difference.right.ends_with("x\u00e9b\""));
  CHECK(difference.left.starts_with("\u2026x"));
}

TEST_CASE("JSON lines are compared document by document") {
  Comparing comparing;
  Response left;
  Response right;
  left.body("application/x-ndjson", "{\"a\":1}\n{\"b\":\"\\u0061\"}\n7\n");
  right.body("application/x-ndjson", "{\"a\":1}\r\n\n{\"b\":\"b\"}\n7");
  CHECK(lines_of(comparing(left, right)) == Lines{R"(value $[1].b ($[*].b): "\u0061" -> "b")"});
  left.body("application/json-seq", "\x1e{\"a\":\n1}\n\x1e[\n2]\n");
  right.body("application/json-seq", "\x1e{\"a\":1}\n\x1e[3]\n");
  CHECK(lines_of(comparing(left, right)) == Lines{"value $[1][0] ($[*][*]): 2 -> 3"});
}

TEST_CASE("rules that are none are refused with their place") {
  const auto problem_of = [](const RouteRules& rules) {
    return compare::Comparer::make(rules).problem;
  };
  RouteRules rules;
  rules.ignore_json = {"$.a", "a.b"};
  CHECK(problem_of(rules).starts_with("compare.ignore_json[1]: \"a.b\" is no path"));
  rules = {};
  rules.json = {ignoring("$.a", IgnoredType::pattern, "(")};
  CHECK(problem_of(rules).starts_with("compare.json[0].pattern: "));
  rules.json = {rule("$.a", ArrayPolicy::by_key, "$..id")};
  CHECK(problem_of(rules).starts_with("compare.json[0].array.by: "));
  rules.json = {rule("$.a", ArrayPolicy::ordered)};
  rules.json[0].tolerance = -1;
  CHECK(problem_of(rules).starts_with("compare.json[0].tolerance: "));
}

}  // namespace
}  // namespace segue::test
