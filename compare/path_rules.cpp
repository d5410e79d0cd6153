#include "compare/path_rules.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "compare/shape.hpp"

namespace segue::compare {
namespace {

using recorder::JsonPath;
using recorder::JsonStep;

constexpr std::size_t kMostPaths = 1'000;  // of one route

// The steps of `text`, or why it is no path.
std::optional<std::vector<JsonStep>> steps_of(const std::string& text, std::string& problem) {
  JsonPath::Problem what;
  auto path = JsonPath::parse(text, what);
  if (path) return std::move(path->steps);
  problem = "\"" + text + "\" is no path: " + what.what + " (at character " +
            std::to_string(what.at + 1) + ")";
  return std::nullopt;
}

bool leads_to_one(const std::vector<JsonStep>& steps) {
  return !steps.empty() && std::ranges::none_of(steps, [](const JsonStep& step) {
    return step.descends || step.kind == JsonStep::Kind::any;
  });
}

}  // namespace

PathRules::PathRules() = default;
PathRules::~PathRules() = default;

std::string PathRules::compile(const RouteRules& rules) {
  if (rules.json.size() + rules.ignore_json.size() > kMostPaths)
    return "compare: more than " + std::to_string(kMostPaths) + " paths";
  std::string problem;
  for (std::size_t i = 0; i < rules.ignore_json.size(); ++i) {
    auto steps = steps_of(rules.ignore_json[i], problem);
    if (!steps) return "compare.ignore_json[" + std::to_string(i) + "]: " + problem;
    Path path;
    path.steps = std::move(*steps);
    path.is_ignored = true;
    paths_.push_back(std::move(path));
  }
  for (std::size_t i = 0; i < rules.json.size(); ++i) {
    const std::string where = "compare.json[" + std::to_string(i) + "].";
    Path path;
    path.rule = rules.json[i];
    auto steps = steps_of(path.rule.path, problem);
    if (!steps) return where + "path: " + problem;
    path.steps = std::move(*steps);
    if (path.rule.array == ArrayPolicy::by_key) {
      auto key = steps_of(path.rule.array_key, problem);
      if (!key) return where + "array.by: " + problem;
      if (!leads_to_one(*key))
        return where + "array.by: \"" + path.rule.array_key + "\" does not lead to one value";
      path.key = std::move(*key);
    }
    if (!(path.rule.tolerance >= 0) || !std::isfinite(path.rule.tolerance))
      return where + "tolerance: not a number from 0";
    if (path.rule.ignore == IgnoredType::pattern) {
      re2::RE2::Options options;
      options.set_log_errors(false);
      path.pattern = std::make_unique<re2::RE2>(path.rule.pattern, options);
      if (!path.pattern->ok()) return where + "pattern: " + path.pattern->error();
    }
    paths_.push_back(std::move(path));
  }
  return {};
}

void PathRules::apply(const Path& path, Treatment& treatment) {
  treatment.is_ignored |= path.is_ignored;
  if (path.is_ignored) return;
  treatment.tolerance = std::max(treatment.tolerance, path.rule.tolerance);
  treatment.ignores_uuids |= path.rule.ignore == IgnoredType::uuid;
  treatment.ignores_timestamps |= path.rule.ignore == IgnoredType::timestamp;
  if (path.rule.array != ArrayPolicy::ordered) {
    treatment.array = path.rule.array;
    treatment.key = &path.key;
  }
  if (path.pattern != nullptr) {
    patterns_.push_back(path.pattern.get());
    ++treatment.patterns;
  }
}

Treatment PathRules::start(std::vector<State>& states) {
  Treatment treatment;
  patterns_.clear();
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (paths_[i].steps.empty())
      apply(paths_[i], treatment);
    else
      states.push_back(recorder::json_path_state(i, 0));
  }
  return treatment;
}

template <class Matches>
Treatment PathRules::enter(std::vector<State>& states, std::size_t from, std::size_t to,
                           Matches matches) {
  Treatment treatment;
  patterns_.clear();
  recorder::carry_states(paths_, states, from, to, matches,
                         [&](std::size_t path) { apply(paths_[path], treatment); });
  return treatment;
}

Treatment PathRules::enter_member(std::vector<State>& states, std::size_t from, std::size_t to,
                                  std::string_view name) {
  return enter(states, from, to, [name](const JsonStep& step) {
    return step.kind == JsonStep::Kind::any ||
           (step.kind == JsonStep::Kind::name && step.name == name);
  });
}

Treatment PathRules::enter_element(std::vector<State>& states, std::size_t from, std::size_t to,
                                   std::uint64_t index, std::uint64_t length) {
  return enter(states, from, to, [index, length](const JsonStep& step) {
    if (step.kind != JsonStep::Kind::index) return step.kind == JsonStep::Kind::any;
    const auto wanted = static_cast<std::uint64_t>(step.index);
    return step.index >= 0 ? index == wanted : index == length + wanted;  // wraps around
  });
}

bool PathRules::matches(const Treatment& treatment, std::string_view a, std::string_view b) const {
  if (treatment.ignores_uuids && is_uuid(a) && is_uuid(b)) return true;
  if (treatment.ignores_timestamps && is_timestamp(a) && is_timestamp(b)) return true;
  for (std::uint32_t i = 0; i < treatment.patterns; ++i)
    if (re2::RE2::FullMatch(a, *patterns_[i]) && re2::RE2::FullMatch(b, *patterns_[i])) return true;
  return false;
}

bool PathRules::may_ignore(const Treatment& treatment, std::string_view text) const {
  return matches(treatment, text, text);
}

}  // namespace segue::compare
