// What one pair may take, and that what was not looked at is never taken for equal.

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <stop_token>
#include <thread>

#include "compare/body_differ.hpp"
#include "tests/compare/responses.hpp"

namespace segue::test {
namespace {

using compare::ArrayPolicy;
using compare::PathRule;
using compare::RouteRules;
using compare::Verdict;
using Lines = std::vector<std::string>;

RouteRules sets(std::string path) {
  RouteRules rules;
  rules.json.resize(1);
  rules.json[0].path = std::move(path);
  rules.json[0].array = ArrayPolicy::set;
  return rules;
}

// "[first,first+1,...]": `count` of them, each by `written`.
std::string array_of(int count, const std::function<std::string(int)>& written) {
  std::string text = "[";
  for (int i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + written(i);
  return text + "]";
}

std::string with_ids(int from, const char* status) {
  return R"({"items":)" +
         array_of(1'200, [&](int i) { return R"({"id":)" + std::to_string(from + i) + "}"; }) +
         R"(,"status":")" + status + "\"}";
}

TEST_CASE("what differs behind a thousand differences of noise is found") {
  Comparing comparing;
  const auto& comparison = comparing(json(with_ids(0, "ok")), json(with_ids(5'000, "BROKEN")));
  CHECK(comparison.reason.empty());
  REQUIRE(comparison.differences.size() == 21);
  CHECK(comparison.differences.front().field == "$.items[*].id");
  CHECK(comparison.differences.back().path == "$.status");
}

TEST_CASE("more fields that differ than a list takes are said to be too many") {
  Comparing comparing;
  const auto object = [](int value) {
    std::string text = "{";
    for (int i = 0; i < 1'001; ++i)
      text += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + "\":" + std::to_string(value);
    return text + "}";
  };
  const auto& comparison = comparing(json(object(1)), json(object(2)));
  CHECK(comparison.verdict == Verdict::different);
  CHECK(comparison.differences.size() == 1'000);
  CHECK(comparison.reason == "too many differences");

  Response many;
  for (int i = 0; i < 1'001; ++i) many.header("x-" + std::to_string(i), "1");
  CHECK(comparing(many, Response()).reason == "too many differences");
}

TEST_CASE("why a body was not compared is said beside the headers that differ") {
  Comparing comparing;
  Response left = json("{}");
  Response right = json("x");
  left.header("x-random", "1");
  right.header("x-random", "2").header("Content-Encoding", "compress");
  const auto& comparison = comparing(left, right);
  CHECK(comparison.verdict == Verdict::different);
  CHECK(comparison.differences.size() == 1);
  CHECK(comparison.reason == "unknown content coding");
}

TEST_CASE("numbers within a tolerance do not make changed ones another order") {
  RouteRules rules;
  rules.json.resize(1);
  rules.json[0].path = "$..n";
  rules.json[0].tolerance = 0.5;
  Comparing comparing(rules);
  CHECK(comparing.found(R"([{"n":1},{"n":2}])", R"([{"n":10},{"n":20}])") ==
        Lines{"value $[0].n ($[*].n): 1 -> 10", "value $[1].n ($[*].n): 2 -> 20"});
  CHECK(comparing.found(R"([{"n":1},{"n":20}])", R"([{"n":20.1},{"n":1.1}])") ==
        Lines{R"(order $: [{"n":1},{"n":20}] -> [{"n":20.1},{"n":1.1}])"});
}

TEST_CASE("the order of a long array is one difference") {
  Comparing comparing;
  const std::string up = array_of(5'000, [](int i) { return std::to_string(i); });
  const std::string down = array_of(5'000, [](int i) { return std::to_string(4'999 - i); });
  const auto& comparison = comparing(json(up), json(down));
  REQUIRE(comparison.differences.size() == 1);
  CHECK(comparison.differences[0].kind == compare::DifferenceKind::order);
}

TEST_CASE("names and keys of one hash are told apart") {
  const std::string one = "firstname-of-two";
  const std::string two = "gamspabl5zRPC,Mn";
  REQUIRE(std::hash<std::string>{}(one) == std::hash<std::string>{}(two));
  const auto member = [](const std::string& name) { return "{\"a\":0,\"" + name + "\":1}"; };
  Comparing comparing;
  CHECK(comparing.found(member(one), member(two)) ==
        Lines{"missing $['" + one + "']: 1 -> ", "extra $['" + two + "']:  -> 1"});
  RouteRules rules = sets("$");
  rules.json[0].array = ArrayPolicy::by_key;
  rules.json[0].array_key = "$.id";
  Comparing by_key(rules);
  const auto element = [](const std::string& id) { return "[{\"id\":\"" + id + "\"}]"; };
  CHECK(by_key.found(element(one), element(two)) ==
        Lines{"missing $[0] ($[*]): {\"id\":\"" + one + "\"} -> ",
              "extra $[0] ($[*]):  -> {\"id\":\"" + two + "\"}"});
}

TEST_CASE("sets within sets cost no more the deeper they are") {
  Comparing comparing(sets("$..*"));
  const std::string deep = std::string(60, '[') + "1,2" + std::string(60, ']');
  const std::string turned = std::string(60, '[') + "2,1" + std::string(60, ']');
  CHECK(comparing(json("{\"a\":" + deep + "}"), json("{\"a\":" + turned + "}")).verdict ==
        Verdict::same);
}

TEST_CASE("a set of many equal elements is compared") {
  Comparing comparing(sets("$"));
  const std::string same = array_of(50'000, [](int) { return R"({"a":1})"; });
  CHECK(comparing(json(same), json(same + " ")).verdict == Verdict::same);
  const std::string other =
      array_of(50'000, [](int i) { return i == 0 ? R"({"a":2})" : R"({"a":1})"; });
  CHECK(lines_of(comparing(json(same), json(other))) ==
        Lines{R"(missing $[49999] ($[*]): {"a":1} -> )", R"(extra $[0] ($[*]):  -> {"a":2})"});
}

TEST_CASE("many siblings of one name that differ are compared to the end") {
  Comparing comparing;
  std::string left = "<r>";
  std::string right = "<r>";
  for (int i = 0; i < 100'000; ++i) {
    left += "<b>1</b>";
    right += "<b>2</b>";
  }
  const auto& comparison = comparing(Response().body("text/xml", left + "<c>1</c></r>"),
                                     Response().body("text/xml", right + "<c>2</c></r>"));
  CHECK(comparison.reason.empty());
  CHECK(comparison.differences.back().path == "/r/c");
}

// Objects of one hash each, because their numbers are tolerated, and none of which is equal.
std::string alike(int from) {
  const std::string text(2'000, 'x');
  return array_of(1'500, [&](int i) {
    return R"({"t":")" + text + R"(","n":)" + std::to_string(from + i) + "}";
  });
}

RouteRules tolerant_set() {
  RouteRules rules = sets("$");
  rules.json.resize(2);
  rules.json[1].path = "$[*].n";
  rules.json[1].tolerance = 0.5;
  return rules;
}

TEST_CASE("long texts that are compared again and again are work") {
  Comparing comparing(tolerant_set());
  CHECK(comparing(json(alike(0)), json(alike(10'000))).reason == "too large");
}

TEST_CASE("memory that one large pair took is given back after it, whatever took it") {
  compare::PathRules rules;
  compare::Comparison comparison;
  compare::DifferenceList list(comparison);
  compare::BodyDiffer differ(rules, {});
  const auto number = [](int i) { return std::to_string(i); };
  std::string html;
  for (int i = 0; i < 20'000; ++i) html += "<p>" + number(i);
  const std::vector<std::pair<const char*, std::string>> bodies{
      {"application/json", array_of(50'000, number)},
      {"application/json",
       array_of(20'000,
                [](int i) { return "\"\\n" + std::string(40, 'x') + std::to_string(i) + "\""; })},
      {"text/html", html},
      {"text/plain", std::string(100'000, '\n')}};
  for (const auto& [type, body] : bodies) {
    INFO(type);
    const Response left = Response().body(type, body);
    const Response right = Response().body(type, body + " ");
    list.clear();
    differ.compare(left.exchange, right.exchange, list);
    CHECK(differ.held() <= 3 * compare::BodyDiffer::kKeptBytes);
    differ.compare(Response().body(type, "1").exchange, right.exchange, list);
    CHECK(differ.held() <= 3 * compare::BodyDiffer::kKeptBytes);
  }
}

TEST_CASE("a stop ends every comparison") {
  std::stop_source source;
  const auto made = compare::Comparer::make({}, source.get_token());
  const Response left = json("[1]");
  const Response right = json("[2]");
  CHECK(made.comparer->compare(left.exchange, right.exchange).verdict == Verdict::different);
  source.request_stop();
  const auto& stopped = made.comparer->compare(left.exchange, right.exchange);
  CHECK(stopped.verdict == Verdict::incomparable);
  CHECK(stopped.reason == "stopped");
}

TEST_CASE("a comparison that is under way on another thread is stopped") {
  std::stop_source source;
  const auto made = compare::Comparer::make(tolerant_set(), source.get_token());
  const Response left = json(alike(0));
  const Response right = json(alike(10'000));
  std::string_view reason;
  std::jthread thread(
      [&] { reason = made.comparer->compare(left.exchange, right.exchange).reason; });
  source.request_stop();
  thread.join();
  CHECK(reason == "stopped");
}

}  // namespace
}  // namespace segue::test
