#include "cli/compare/rule_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "compare/comparer.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

constexpr std::uint64_t kMostMinPairs = 1'000'000'000;

using compare::ArrayPolicy;
using compare::IgnoredType;
using compare::PathRule;
using compare::RouteRules;

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view why) {
  throw StartupError(fmt::format("{} {}: {}", option, text, why));
}

PathValue path_value(std::string_view option, std::string_view text, std::string_view form) {
  auto parts = split_path_value(text);
  if (!parts || parts->value.empty()) refuse(option, text, fmt::format("write {}", form));
  return *parts;
}

void set_array(PathRule& rule, const std::string& option_text, std::string_view value) {
  constexpr std::string_view kBy = "by:";
  if (value == "ordered") {
    rule.array = ArrayPolicy::ordered;
  } else if (value == "set") {
    rule.array = ArrayPolicy::set;
  } else if (value.starts_with(kBy)) {
    value.remove_prefix(kBy.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    rule.array = ArrayPolicy::by_key;
    rule.array_key = value;
  } else {
    refuse("--array", option_text, "write PATH=set, PATH=ordered or PATH=by:$.id");
  }
}

void set_tolerance(PathRule& rule, const std::string& option_text, std::string_view value) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || !std::isfinite(number) ||
      number < 0)
    refuse("--tolerance", option_text, "write PATH=NUMBER, such as $.price=1e-9");
  rule.tolerance = number;
}

void set_ignore(PathRule& rule, std::string_view value) {
  rule.pattern.clear();
  if (value == "uuid") {
    rule.ignore = IgnoredType::uuid;
  } else if (value == "timestamp") {
    rule.ignore = IgnoredType::timestamp;
  } else {
    rule.ignore = IgnoredType::pattern;
    rule.pattern = value;
  }
}

// A rule alone is tried out, so that what is wrong with it names the option and not a place in a
// configuration that nobody wrote.
void try_out(std::string_view option, std::string_view text, const RouteRules& rules) {
  const auto made = compare::Comparer::make(rules);
  if (made.comparer) return;
  const std::size_t colon = made.problem.find(": ");
  refuse(option, text,
         std::string_view(made.problem).substr(colon == std::string::npos ? 0 : colon + 2));
}

PathRule& rule_of(RouteRules& rules, const std::string& path) {
  const auto found = std::ranges::find(rules.json, path, &PathRule::path);
  if (found != rules.json.end()) return *found;
  PathRule& added = rules.json.emplace_back();
  added.path = path;
  return added;
}

// Sets it in `rules`, and tries it out in none.
void put(RouteRules& rules, std::string_view option, const std::string& text,
         const PathValue& parts, const auto& set) {
  RouteRules alone;
  set(rule_of(alone, parts.path));
  try_out(option, text, alone);
  set(rule_of(rules, parts.path));
}

}  // namespace

std::optional<PathValue> split_path_value(std::string_view text) {
  char quote = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
      continue;
    }
    if (depth > 0 && (c == '\'' || c == '"')) quote = c;
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c != '=' || depth > 0) continue;
    if (i == 0) return std::nullopt;
    return PathValue{std::string(text.substr(0, i)), std::string(text.substr(i + 1))};
  }
  return std::nullopt;
}

void RuleOptions::add_to(CLI::App& command) {
  const std::string group = "Rules, on top of those of the configuration, for all routes";
  const auto list_option = [&](const char* name, std::vector<std::string>& into, const char* type,
                               const char* about) {
    command.add_option(name, into, about)->allow_extra_args(false)->type_name(type)->group(group);
  };
  list_option("--ignore-header", ignore_headers_, "NAME", "Do not compare this header");
  list_option("--ignore-json", ignore_json_, "PATH",
              "Do not compare what stands at this JSON path");
  list_option("--array", arrays_, "PATH=POLICY", "How elements are matched: set, ordered, by:$.id");
  list_option("--tolerance", tolerances_, "PATH=NUMBER",
              "Numbers that differ by no more are equal");
  list_option("--ignore", ignores_, "PATH=WHAT",
              "Two values of this form are equal: uuid, timestamp, REGEX");
  command.add_option("--min-pairs", min_pairs_, "Fewer pairs of a route decide nothing")
      ->check(CLI::Range(std::uint64_t{1}, kMostMinPairs))
      ->group(group);
}

RouteRules RuleOptions::on_top_of(RouteRules rules) const {
  for (const std::string& name : ignore_headers_) rules.ignore_headers.push_back(name);
  for (const std::string& path : ignore_json_) {
    RouteRules alone;
    alone.ignore_json.push_back(path);
    try_out("--ignore-json", path, alone);
    rules.ignore_json.push_back(path);
  }
  for (const std::string& text : arrays_) {
    const PathValue parts = path_value("--array", text, "PATH=set, PATH=ordered or PATH=by:$.id");
    put(rules, "--array", text, parts, [&](PathRule& rule) { set_array(rule, text, parts.value); });
  }
  for (const std::string& text : tolerances_) {
    const PathValue parts = path_value("--tolerance", text, "PATH=NUMBER, such as $.price=1e-9");
    put(rules, "--tolerance", text, parts,
        [&](PathRule& rule) { set_tolerance(rule, text, parts.value); });
  }
  for (const std::string& text : ignores_) {
    const PathValue parts = path_value("--ignore", text, "PATH=uuid, PATH=timestamp or PATH=REGEX");
    put(rules, "--ignore", text, parts, [&](PathRule& rule) { set_ignore(rule, parts.value); });
  }
  if (min_pairs_) rules.min_pairs = *min_pairs_;
  return rules;
}

}  // namespace segue::cli
