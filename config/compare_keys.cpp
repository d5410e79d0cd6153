#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "recorder/redaction/json_path.hpp"
#include "recorder/redaction/patterns.hpp"

namespace segue::config {
namespace {

using compare::ArrayPolicy;
using compare::IgnoredType;
using compare::LiveSettings;
using compare::PathRule;
using compare::RouteRules;

constexpr std::string_view kPolicies[] = {"ordered", "set"};
constexpr std::string_view kTypes[] = {"uuid", "timestamp"};
constexpr std::size_t kMostRules = 256;  // of one list of one route
constexpr std::uint64_t kMostPairs = 1'000'000'000;
constexpr std::uint64_t kMostWaiting = 1'000'000;

// A key of an element is one value of it.
bool names_one_value(const recorder::JsonPath& path) {
  return !path.steps.empty() &&
         std::none_of(path.steps.begin(), path.steps.end(), [](const recorder::JsonStep& step) {
           return step.descends || step.kind == recorder::JsonStep::Kind::any;
         });
}

// "by: $.id", cut after the colon.
void read_array_key(const Place& place, Context& context, std::string_view text, PathRule& rule) {
  rule.array = ArrayPolicy::by_key;
  rule.array_key = text.substr(std::min(text.find_first_not_of(' '), text.size()));
  recorder::JsonPath::Problem problem;
  const auto path = recorder::JsonPath::parse(rule.array_key, problem);
  if (!path) {
    context.report.add(codes::kBadValue, place.node.at,
                       fmt::format("{} has no JSON path after 'by:': '{}', at character {}: {}",
                                   place.name, rule.array_key, problem.at + 1, problem.what));
  } else if (!names_one_value(*path)) {
    context.report.add(codes::kBadValue, place.node.at,
                       fmt::format("{} needs one value of each element after 'by:', not '{}'",
                                   place.name, rule.array_key),
                       "\"by: $.id\"; `set` matches equal elements");
  }
}

void read_array(const Place& place, Context& context, PathRule& rule) {
  constexpr std::string_view kExpected = "ordered, set or \"by: $.id\"";
  const auto text = read_text(place, context, kExpected);
  if (!text) return;
  rule.array_key.clear();
  if (text->starts_with("by:"))
    read_array_key(place, context, std::string_view(*text).substr(3), rule);
  else if (*text == "ordered" || *text == "set")
    rule.array = *text == "set" ? ArrayPolicy::set : ArrayPolicy::ordered;
  else
    refuse_value(place, context, kExpected, did_you_mean(*text, kPolicies));
}

void read_tolerance(const Place& place, Context& context, PathRule& rule) {
  constexpr std::string_view kExpected = "a number from 0, such as 1e-9";
  const auto text = read_scalar(place, context, kExpected);
  if (!text) return;
  double value = 0;
  const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool is_number = fault == std::errc{} && end == text->data() + text->size() &&
                         !place.node.quoted && std::isfinite(value) && value >= 0;
  if (is_number)
    rule.tolerance = value;
  else
    refuse_value(place, context, kExpected);
}

// Or what is wrong with it. Unlike a redaction it may match the empty text.
std::optional<std::string> problem_of(const std::string& expression) {
  const re2::RE2 compiled(expression, re2::RE2::Quiet);
  if (!compiled.ok()) return compiled.error();
  if (compiled.ProgramSize() <= recorder::kMostRegexInstructions) return std::nullopt;
  return fmt::format("it has {} instructions, more than {}", compiled.ProgramSize(),
                     recorder::kMostRegexInstructions);
}

// A word that is nearly one of ours would be an expression that matches nothing but itself.
std::string misspelt(std::string_view text) {
  const bool is_word =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return is_word ? did_you_mean(text, kTypes) : "";
}

void read_ignore(const Place& place, Context& context, PathRule& rule) {
  constexpr std::string_view kExpected = "uuid, timestamp or a regular expression";
  auto text = read_text(place, context, kExpected);
  if (!text) return;
  rule.pattern.clear();
  if (*text == "uuid" || *text == "timestamp") {
    rule.ignore = *text == "uuid" ? IgnoredType::uuid : IgnoredType::timestamp;
    return;
  }
  if (auto hint = misspelt(*text); !hint.empty())
    return refuse_value(place, context, kExpected, std::move(hint));
  rule.ignore = IgnoredType::pattern;
  if (const auto problem = problem_of(*text))
    context.report.add(codes::kBadValue, place.node.at,
                       fmt::format("{} cannot be used: {}", place.name, *problem));
  rule.pattern = std::move(*text);
}

const Keys<PathRule>& path_rule_keys() {
  static const Keys<PathRule> keys{
      required(key<PathRule>("path", &PathRule::path, JsonPathText{}, "")),
      special_key<PathRule>("array", "", "", "", read_array),
      special_key<PathRule>("tolerance", "", "", "", read_tolerance),
      special_key<PathRule>("ignore", "", "", "", read_ignore)};
  return keys;
}

// The text of `path`, as it stands there; empty when it is none.
std::string_view path_of(const Place& item) {
  const yaml::Entry* entry = item.node.kind == yaml::Kind::map ? item.node.find("path") : nullptr;
  return entry != nullptr && entry->value.kind == yaml::Kind::scalar ? entry->value.text
                                                                     : std::string_view{};
}

// What is said twice of one path adds up, and of one key the later one counts: a route's entries
// come after those of `defaults`.
void read_path_rules(const Place& place, Context& context, RouteRules& rules) {
  if (!is_sequence(place, context, "a list")) return;
  if (place.node.items.size() > kMostRules) {
    context.report.add(codes::kOutOfRange, place.node.at,
                       fmt::format("{} has {} entries, more than {}", place.name,
                                   place.node.items.size(), kMostRules));
    return;
  }
  for (std::size_t i = 0; i < place.node.items.size(); ++i) {
    const Place item = place.item(i);
    const auto known = std::find_if(rules.json.begin(), rules.json.end(),
                                    [&](const auto& rule) { return rule.path == path_of(item); });
    PathRule& rule = known == rules.json.end() ? rules.json.emplace_back() : *known;
    read_map(item, path_rule_keys(), context, rule);
    if (item.node.kind == yaml::Kind::map && item.node.entries.size() == 1 && !rule.path.empty())
      context.report.add(codes::kMissingKey, item.at,
                         fmt::format("{} does not say how '{}' is compared", item.name, rule.path),
                         "array: set, tolerance: 1e-9 or ignore: uuid");
  }
}

}  // namespace

Key<RouteSettings> compare_key() {
  return section<RouteSettings>(
      "compare", &RouteSettings::compare,
      Keys<RouteRules>{
          key<RouteRules>("ignore_headers", &RouteRules::ignore_headers,
                          List<HeaderName>{{}, kMostRules},
                          "fields that are not compared, beside Date and its like; a route's lists "
                          "add to those of `defaults`"),
          key<RouteRules>("ignore_json", &RouteRules::ignore_json,
                          List<JsonPathText>{{}, kMostRules},
                          "values of JSON bodies that are not compared: names, indexes, `*` and "
                          "`..` of RFC 9535"),
          special_key<RouteRules>(
              "json",
              "list of { path, array: ordered, set or \"by: $.id\", tolerance: number, ignore: "
              "uuid, timestamp or a regular expression }",
              "[]",
              "how values of JSON bodies are compared: arrays by position, as sets or by a key of "
              "their elements; numbers with a tolerance; two UUIDs, two timestamps or two texts "
              "that match a whole expression (RE2) as equal",
              read_path_rules),
          key<RouteRules>("min_pairs", &RouteRules::min_pairs, Count{1, kMostPairs},
                          "pairs of a route before anything is said of it")});
}

Key<Settings> live_comparison_key() {
  return section<Settings>(
      "live_comparison", &Settings::live_comparison,
      Keys<LiveSettings>{
          key<LiveSettings>("percent", &LiveSettings::share, Percent{},
                            "of the copied requests, compared by the gateway itself for its "
                            "metrics; 0: off"),
          key<LiveSettings>("queue", &LiveSettings::queue, Count{1, kMostWaiting},
                            "exchanges that wait for their pair; over it the oldest goes")});
}

}  // namespace segue::config
