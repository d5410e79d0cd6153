#include "compare/suggestion.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "compare/comparing.hpp"
#include "compare/yaml_text.hpp"
#include "config/load.hpp"
#include "tests/compare/shop.hpp"

namespace segue::compare {
namespace {

using namespace test;
using Catch::Matchers::ContainsSubstring;

Report report_of(std::vector<v1::Exchange> exchanges, const RouteRules& rules = {}) {
  Comparing::Made made = Comparing::make({.otherwise = rules});
  INFO(made.problem);
  REQUIRE(made.comparing != nullptr);
  for (v1::Exchange& exchange : exchanges) made.comparing->add(std::move(exchange));
  return made.comparing->report();
}

FieldReport field(std::string_view name, DifferenceKind kind, Judgement judgement,
                  std::string_view left = "1", std::string_view right = "2") {
  return {.part = name.starts_with('$') ? Part::body : Part::header,
          .field = std::string(name),
          .kind = kind,
          .judgement = judgement,
          .raw = {5'000, 10'000},
          .noise = {100, 200},
          .examples = {
              {.path = std::string(name), .left = std::string(left), .right = std::string(right)}}};
}

Report report_with(std::vector<FieldReport> fields) {
  RouteReport route;
  route.route = kRoute;
  route.fields = std::move(fields);
  Report report;
  report.routes.push_back(std::move(route));
  return report;
}

// The rules of the route when the suggestion stands in a configuration.
RouteRules loaded(const std::string& suggestion) {
  INFO(suggestion.substr(0, 4'000));
  const std::string route = "  \"" + kRoute + "\":\n";
  const auto at = suggestion.find(route);
  REQUIRE(at != std::string::npos);
  std::string text =
      "version: 1\n"
      "listeners: { public: { address: \"127.0.0.1:0\" } }\n"
      "backends:\n"
      "  legacy: { endpoints: [\"php.internal:80\"] }\n"
      "  new: { endpoints: [\"go.internal:80\"] }\n"
      "defaults: { record: { redact: {} } }\n" +
      suggestion;
  text.insert(text.find(route) + route.size(),
              "    match: { prefix: / }\n    to: legacy\n    shadow: { to: new, percent: 100 }\n");
  const config::LoadResult result = config::load_text(text, "segue.yaml", "/");
  for (const auto& error : result.errors) UNSCOPED_INFO(error.line << ": " << error.message);
  REQUIRE(result.settings.has_value());
  return result.settings->routes.at(0).compare;
}

RouteRules suggested(const Report& report, const RouteRules& rules = {}) {
  return loaded(suggest_rules(report, {{kRoute, rules}}));
}

TEST_CASE("what is suggested loads as configuration and silences the noise, and only that") {
  Shop shop(1);
  Shop other(2, Shop::Flaw::price);
  const auto exchanges = families(0, 10'000, shop, other, 10);
  const Report before = report_of(exchanges);
  const RouteRules rules = suggested(before);
  CHECK(rules.ignore_headers == std::vector<std::string>{"x-cost"});
  CHECK(rules.ignore_json == std::vector<std::string>{"$.offer"});
  const auto rule_of = [&](std::string_view path) {
    const auto found = std::ranges::find(rules.json, path, &PathRule::path);
    REQUIRE(found != rules.json.end());
    return *found;
  };
  CHECK(rules.json.size() == 3);
  CHECK(rule_of("$.id").ignore == IgnoredType::uuid);
  CHECK(rule_of("$.at").ignore == IgnoredType::timestamp);
  CHECK(rule_of("$.tags").array == ArrayPolicy::set);

  const RouteReport after = report_of(exchanges, rules).routes.at(0);
  REQUIRE(after.fields.size() == 1);
  CHECK(after.fields[0].field == "$.product.price");
  CHECK(after.fields[0].judgement == Judgement::finding);
  CHECK(after.same == 9'000);
  CHECK(after.different == 1'000);
  // Nothing is left to suggest.
  CHECK(suggest_rules(report_of(exchanges, rules), {{kRoute, rules}}).empty());
}

TEST_CASE("nothing is suggested for what is no noise") {
  CHECK(suggest_rules({}, {}).empty());
  CHECK(suggest_rules(report_with({}), {}).empty());
  for (const Judgement judgement : {Judgement::finding, Judgement::uncertain})
    CHECK(suggest_rules(report_with({field("$.a", DifferenceKind::value, judgement),
                                     field("x-a", DifferenceKind::value, judgement)}),
                        {})
              .empty());
}

TEST_CASE("ignoring a path or a header must not hide what is no noise") {
  const std::string suggestion =
      suggest_rules(report_with({field("$.list[*].price", DifferenceKind::type, Judgement::finding),
                                 field("$.list", DifferenceKind::length, Judgement::noise),
                                 field("$.id", DifferenceKind::missing, Judgement::uncertain),
                                 field("$.id", DifferenceKind::value, Judgement::noise),
                                 field("x-a", DifferenceKind::missing, Judgement::finding),
                                 field("x-a", DifferenceKind::value, Judgement::noise),
                                 field("$.identity", DifferenceKind::value, Judgement::noise)}),
                    {});
  const RouteRules rules = loaded(suggestion);
  CHECK(rules.ignore_json == std::vector<std::string>{"$.identity"});
  CHECK(rules.ignore_headers.empty());
  CHECK_THAT(suggestion, ContainsSubstring("would hide type of $.list[*].price (finding)"));
  CHECK_THAT(suggestion, ContainsSubstring("would hide missing of $.id (uncertain)"));
  CHECK_THAT(suggestion, ContainsSubstring("would hide missing of x-a (finding)"));
}

TEST_CASE("a path with a * hides what has a name of its own, and is not suggested then") {
  const std::string suggestion = suggest_rules(
      report_with({field("$.users.*", DifferenceKind::value, Judgement::noise),
                   field("$.users.total", DifferenceKind::value, Judgement::finding),
                   field("$.carts.*.at", DifferenceKind::value, Judgement::noise),
                   field("$.carts.open.at", DifferenceKind::type, Judgement::uncertain),
                   field("$.rows[*]", DifferenceKind::value, Judgement::noise),
                   field("$.rows[*].price", DifferenceKind::value, Judgement::finding),
                   field("$.kept", DifferenceKind::value, Judgement::noise)}),
      {});
  const RouteRules rules = loaded(suggestion);
  CHECK(rules.ignore_json == std::vector<std::string>{"$.kept"});
  CHECK_THAT(suggestion, ContainsSubstring("would hide value of $.users.total (finding)"));
  CHECK_THAT(suggestion, ContainsSubstring("would hide type of $.carts.open.at (uncertain)"));
}

TEST_CASE("members whose names are data are ignored only where no other stands beside them") {
  const std::string uuid = "\"2f1c8a54-6a45-4bd0-9c8f-52f0b0a3a2c1\"";
  const std::string suggestion = suggest_rules(
      report_with({field("$.users.*", DifferenceKind::value, Judgement::noise),
                   field("$.users.count.new", DifferenceKind::value, Judgement::noise),
                   field("$.ids.*", DifferenceKind::value, Judgement::noise, uuid, uuid),
                   field("$.ids.first", DifferenceKind::value, Judgement::noise),
                   field("$.carts.*", DifferenceKind::value, Judgement::noise)}),
      {});
  const RouteRules rules = loaded(suggestion);
  CHECK(rules.ignore_json ==
        std::vector<std::string>{"$.carts.*", "$.ids.first", "$.users.count.new"});
  CHECK(rules.json.empty());
  CHECK_THAT(suggestion, ContainsSubstring("$.users.count.new stands beside it"));
}

TEST_CASE("what a rule ignores already, a * or .. in it or not, is not suggested again") {
  RouteRules rules;
  rules.ignore_json = {"$.users.*", "$..at", "$['odd name']", "$.list[0]"};
  const RouteRules after =
      suggested(report_with({field("$.users.total.x", DifferenceKind::value, Judgement::noise),
                             field("$.a.b[*].at", DifferenceKind::value, Judgement::noise),
                             field("$['odd name'].x", DifferenceKind::value, Judgement::noise),
                             field("$.list[*]", DifferenceKind::value, Judgement::noise)}),
                rules);
  CHECK(after.ignore_json ==
        std::vector<std::string>{"$.users.*", "$..at", "$['odd name']", "$.list[0]", "$.list[*]"});
}

TEST_CASE("a type is ignored beside a finding of another kind") {
  const std::string uuid = "\"2f1c8a54-6a45-4bd0-9c8f-52f0b0a3a2c1\"";
  const RouteRules rules =
      suggested(report_with({field("$.id", DifferenceKind::type, Judgement::finding),
                             field("$.id", DifferenceKind::value, Judgement::noise, uuid, uuid)}));
  REQUIRE(rules.json.size() == 1);
  CHECK(rules.json[0].path == "$.id");
  CHECK(rules.json[0].ignore == IgnoredType::uuid);
  CHECK(rules.ignore_json.empty());
}

TEST_CASE("a path that is noisy in several ways is ignored once, with what stands below it") {
  const std::string uuid = "\"2f1c8a54-6a45-4bd0-9c8f-52f0b0a3a2c1\"";
  const RouteRules rules =
      suggested(report_with({field("$.a", DifferenceKind::value, Judgement::noise, uuid, uuid),
                             field("$.a", DifferenceKind::missing, Judgement::noise),
                             field("$.a.b", DifferenceKind::value, Judgement::noise),
                             field("$.a[*]", DifferenceKind::value, Judgement::noise)}));
  CHECK(rules.ignore_json == std::vector<std::string>{"$.a"});
  CHECK(rules.json.empty());
}

TEST_CASE("the rules as they are stay, and what is new joins them") {
  RouteRules rules;
  rules.ignore_headers = {"x-b"};
  rules.ignore_json = {"$.old"};
  rules.json = {
      {.path = "$.list", .array = ArrayPolicy::by_key, .array_key = "$.id", .pattern = {}},
      {.path = "$.cost", .array_key = {}, .tolerance = 1e-9, .pattern = {}},
      {.path = "$.tags", .array_key = {}, .tolerance = 0.5, .pattern = {}},
      {.path = "$.name",
       .array_key = {},
       .ignore = IgnoredType::pattern,
       .pattern = "a\\.\"b'\t#: .*"}};
  rules.min_pairs = 321;
  const RouteRules after =
      suggested(report_with({field("x-a", DifferenceKind::value, Judgement::noise),
                             field("$.tags", DifferenceKind::order, Judgement::noise),
                             field("$.name", DifferenceKind::value, Judgement::noise)}),
                rules);
  CHECK(after.ignore_headers == std::vector<std::string>{"x-b", "x-a"});
  CHECK(after.ignore_json == std::vector<std::string>{"$.old", "$.name"});
  CHECK(after.min_pairs == 321);
  REQUIRE(after.json.size() == 4);
  CHECK(after.json[0].array == ArrayPolicy::by_key);
  CHECK(after.json[0].array_key == "$.id");
  CHECK(after.json[1].tolerance == 1e-9);
  CHECK(after.json[2].array == ArrayPolicy::set);
  CHECK(after.json[2].tolerance == 0.5);
  CHECK(after.json[3].ignore == IgnoredType::pattern);
  CHECK(after.json[3].pattern == rules.json[3].pattern);
}

TEST_CASE("noise that no rule silences is told in a comment") {
  FieldReport status = field("", DifferenceKind::value, Judgement::noise, "200", "503");
  status.part = Part::status;
  FieldReport line = field("line", DifferenceKind::value, Judgement::noise);
  line.part = Part::body;
  const std::string suggestion = suggest_rules(
      report_with(
          {status, line, field("set-cookie: sid", DifferenceKind::value, Judgement::noise)}),
      {});
  CHECK_THAT(suggestion, ContainsSubstring("header set-cookie: sid"));
  CHECK_THAT(suggestion, ContainsSubstring("no key silences a status"));
  CHECK_THAT(suggestion, ContainsSubstring("body line"));
  CHECK(suggestion.find("\nroutes:") == std::string::npos);
}

TEST_CASE("what peers sent cannot break out of its comment or its quotes") {
  const std::string evil = "\"\nroutes: { x: 1 }\r\n\xc2\x85# \xe2\x80\xa8\xe2\x80\xa9\xff\x01\"";
  const std::string suggestion =
      suggest_rules(report_with({field("$.a", DifferenceKind::value, Judgement::noise, evil, evil),
                                 field("$['a \"b: {#']", DifferenceKind::value, Judgement::noise)}),
                    {});
  const RouteRules rules = loaded(suggestion);
  CHECK(rules.ignore_json.size() == 2);
  CHECK(suggestion.find("\nroutes:") == suggestion.rfind("\nroutes:"));
}

TEST_CASE("text is quoted so that YAML says it again") {
  CHECK(yaml_text("plain") == "\"plain\"");
  CHECK(yaml_text("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(yaml_text("\t\n\x7f") == "\"\\x09\\x0a\\x7f\"");
  CHECK(yaml_text("gr\xc3\xb6\xc3\x9f"
                  "e") ==
        "\"gr\xc3\xb6\xc3\x9f"
        "e\"");
  CHECK(yaml_text("\xc2\x85\xe2\x80\xa8\xe2\x80\xa9") == "\"\\x85\\L\\P\"");
  CHECK(yaml_text("\xff") == "\"?\"");
  CHECK(yaml_comment("a\nb\xff") == "a?b?");
  CHECK(yaml_comment(std::string(10'000, 'x')).size() == 600);
}

TEST_CASE("no more is suggested than configuration takes") {
  std::vector<FieldReport> fields;
  for (int n = 0; n < 300; ++n) {
    fields.push_back(field("$.a" + std::to_string(n), DifferenceKind::value, Judgement::noise));
    fields.push_back(field("x-" + std::to_string(n), DifferenceKind::value, Judgement::noise));
    fields.push_back(field("$.o" + std::to_string(n), DifferenceKind::order, Judgement::noise));
  }
  const RouteRules rules = suggested(report_with(fields));
  CHECK(rules.ignore_json.size() == 256);
  CHECK(rules.ignore_headers.size() == 256);
  CHECK(rules.json.size() == 256);
}

}  // namespace
}  // namespace segue::compare
