#include "routing/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "routing/canonical.hpp"
#include "routing/compiled_routes.hpp"
#include "routing/escapes.hpp"
#include "routing/location.hpp"
#include "routing/precedence.hpp"

namespace segue::routing {
namespace {

std::string kind_name(const PathPattern& pattern, std::size_t at) {
  if (at < pattern.segments.size()) {
    static constexpr std::string_view kKinds[] = {"literal", "expression", "parameter"};
    return std::string(kKinds[static_cast<std::size_t>(pattern.segments[at].kind)]);
  }
  if (pattern.ending == Ending::ends) return "ending";
  return pattern.ending == Ending::rest ? "rest-of-path" : "whole-path expression";
}

std::string path_reason(const PathPattern& winner, const PathPattern& loser) {
  const auto a = winner.rank();
  const auto b = loser.rank();
  const auto differs = static_cast<std::size_t>(
      std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  return fmt::format("segment {}: {} beats {}", differs + 1, kind_name(winner, differs),
                     kind_name(loser, differs));
}

std::string host_text(const HostPattern& host) {
  if (host.kind == HostKind::any) return "any";
  return host.kind == HostKind::exact ? host.name : fmt::format("*.{}", host.name);
}

// What the narrower route asks for and the other does not.
std::string added_conditions(const CompiledRoute& narrow, const CompiledRoute& wide,
                             const CompiledRoutes& table) {
  std::vector<std::string> added;
  if (narrow.methods != wide.methods)
    added.push_back(fmt::format("method {}", fmt::join(narrow.rule.match.methods, "|")));
  if (narrow.rule.match.scheme != wide.rule.match.scheme)
    added.push_back(fmt::format("scheme {}", narrow.rule.match.scheme));
  const auto add = [&](const auto& own, const auto& others, const auto& names,
                       std::string_view what) {
    for (const auto& condition : own) {
      if (std::find(others.begin(), others.end(), condition) != others.end()) continue;
      added.push_back(fmt::format("{} {}={}", what, names[condition.name], text_of(condition)));
    }
  };
  add(narrow.headers, wide.headers, table.header_names, "header");
  add(narrow.query, wide.query, table.query_names, "query");
  return fmt::format("{}", fmt::join(added, ", "));
}

std::string reason_of(const Candidate& winner, const Candidate& loser,
                      const CompiledRoutes& table) {
  switch (prefer(winner, loser).by) {
    case DecidedBy::host:
      return fmt::format("host: {} beats {}", host_text(winner.route->host),
                         host_text(loser.route->host));
    case DecidedBy::path:
      return path_reason(*winner.pattern, *loser.pattern);
    case DecidedBy::narrower:
      return fmt::format("narrower: adds {}",
                         added_conditions(*winner.route, *loser.route, table));
    case DecidedBy::before:
      return fmt::format("before: {} is written in {}", loser.route->rule.name,
                         winner.route->rule.name);
    case DecidedBy::nothing:
      break;
  }
  return "";
}

// How one request fares with every route.
class Trial {
 public:
  Trial(const CompiledRoutes& table, const HeadView& head)
      : table_(table), head_(head), host_(normalise_host(head.authority)) {
    const auto target = split_target(head.target);
    readable_ = path_.read(target.path) == PathFault::none;
    values_.begin(head, target.query, table.header_names, table.query_names);
  }

  bool readable() const noexcept { return readable_; }
  std::string_view path() const noexcept { return path_.text(); }

  // The pattern of the route that matches the path; null when none does.
  const PathPattern* matching_pattern(const CompiledRoute& route) const {
    const auto found = std::find_if(route.patterns.begin(), route.patterns.end(),
                                    [&](const auto& pattern) { return pattern.matches(path_); });
    return found == route.patterns.end() ? nullptr : &*found;
  }

  // What keeps the route from matching but for its path, in words.
  std::vector<std::string> failures(const CompiledRoute& route) {
    std::vector<std::string> failed;
    const Match& match = route.rule.match;
    if ((route.methods & table_.method_bit(head_.method)) == 0)
      failed.push_back(fmt::format("method is {}", fmt::join(match.methods, "|")));
    if (!route.host.matches(host_))
      failed.push_back(fmt::format("host is {}", host_text(route.host)));
    if (!match.scheme.empty() && match.scheme != head_.scheme)
      failed.push_back(fmt::format("scheme is {}", match.scheme));
    for (const auto& condition : route.headers) {
      if (!condition.holds(values_.header(condition.name)))
        failed.push_back(wanted("header", table_.header_names, condition));
    }
    for (const auto& condition : route.query) {
      if (!condition.holds(values_.query(condition.name)))
        failed.push_back(wanted("query", table_.query_names, condition));
    }
    return failed;
  }

  // The one segment, or the slash at the end, that keeps the path from matching; nullopt when the
  // path matches or is further off.
  std::optional<std::string> near_path(const PathPattern& pattern) const {
    const auto given = path_.segments();
    if (pattern.ending != Ending::ends) return std::nullopt;
    const bool has_slash = given.back().text.empty() && given.size() > 1;
    const std::size_t count = given.size() - (has_slash ? 1 : 0);
    const bool wants_slash = pattern.segments.back().kind == SegmentKind::literal &&
                             pattern.segments.back().text.empty() && pattern.segments.size() > 1;
    const std::size_t wanted_count = pattern.segments.size() - (wants_slash ? 1 : 0);
    if (count != wanted_count) return std::nullopt;
    std::vector<std::string> failed;
    for (std::size_t i = 0; i < count; ++i) {
      const auto& segment = pattern.segments[i];
      if (segment.matches(given[i].text)) continue;
      failed.push_back(fmt::format("segment {} is {}", i + 1,
                                   segment.kind == SegmentKind::parameter ? "not empty"
                                                                          : segment.text));
    }
    if (has_slash != wants_slash)
      failed.push_back(wants_slash ? "path ends in a slash" : "path has no slash at its end");
    // A route of one literal is near to every other such path; that says nothing.
    const bool says_something = failed.size() == 1 && (count > 1 || has_slash != wants_slash);
    return says_something ? std::optional(failed.front()) : std::nullopt;
  }

 private:
  static std::string wanted(std::string_view what, const std::vector<std::string>& names,
                            const Condition& condition) {
    const auto& name = names[condition.name];
    switch (condition.test) {
      case ValueCondition::Test::equals:
        return fmt::format("{} {} is {}", what, name, condition.value);
      case ValueCondition::Test::present:
        return fmt::format("{} {} is present", what, name);
      case ValueCondition::Test::regex:
        return fmt::format("{} {} matches {}", what, name, condition.value);
    }
    return "";
  }

  const CompiledRoutes& table_;
  const HeadView& head_;
  std::string host_;
  RequestPath path_;
  RequestValues values_;
  bool readable_ = false;
};

std::optional<std::string> near_miss(Trial& trial, const CompiledRoute& route) {
  const auto failures = trial.failures(route);
  if (trial.matching_pattern(route) != nullptr) {
    return failures.size() == 1 ? std::optional(failures.front()) : std::nullopt;
  }
  if (!failures.empty()) return std::nullopt;
  for (const auto& pattern : route.patterns) {
    if (auto reason = trial.near_path(pattern)) return reason;
  }
  return std::nullopt;
}

void explain_others(Explanation& result, const CompiledRoutes& table, Trial& trial) {
  std::optional<Candidate> winner;
  for (const auto& entry : table.order) {
    const auto& route = *entry.route;
    const PathPattern* pattern = trial.matching_pattern(route);
    if (pattern != &route.patterns[entry.pattern] || !trial.failures(route).empty()) continue;
    const Candidate candidate{&route, pattern};
    if (!winner) {
      winner = candidate;
    } else {
      result.beaten.push_back({route.rule.name, reason_of(*winner, candidate, table)});
    }
  }
  for (const auto& route : table.routes) {
    if (auto reason = near_miss(trial, route))
      result.near_misses.push_back({route.rule.name, *std::move(reason)});
  }
}

}  // namespace

Explanation explain(const RouteTable& table, const HeadView& head, const Peer& peer) {
  const CompiledRoutes& compiled = table.compiled();
  Scratch scratch;
  const Decision decision = table.decide(head, peer, scratch);
  Explanation result;
  result.verdict = decision.verdict;
  if (decision.route != nullptr) {
    const auto& route = compiled.routes[decision.route->index];
    result.winner = decision.route->name;
    result.target = target_text(route, compiled);
    if (decision.action == RouteAction::forward) {
      result.backend = compiled.backends[decision.backend].name;
      result.upstream_target = decision.upstream_target;
    } else if (decision.action == RouteAction::redirect) {
      const RouteRule& rule = route.rule;
      result.location = location_of(head, {rule.redirect_scheme, rule.redirect_host,
                                           decision.upstream_target})
                            .value_or("");
    }
    if (decision.fallback >= 0)
      result.fallback = compiled.backends[static_cast<std::size_t>(decision.fallback)].name;
    result.bucket = decision.bucket;
    result.shadow = decision.shadow;
    if (decision.shadow == Decision::Shadow::chosen)
      result.shadow_backend = compiled.backends[decision.shadow_backend].name;
    for (const auto& [name, value] : decision.parameters) result.parameters.emplace_back(name, value);
  }
  Trial trial(compiled, head);
  if (!trial.readable()) return result;
  result.path = trial.path();
  const bool judged = decision.verdict == Decision::Verdict::routed ||
                      decision.verdict == Decision::Verdict::no_route;
  if (judged) explain_others(result, compiled, trial);
  return result;
}

std::string text_of(Decision::Verdict verdict) {
  switch (verdict) {
    case Decision::Verdict::routed:
      return "routed";
    case Decision::Verdict::no_route:
      return "404: no route matches";
    case Decision::Verdict::path_confusion:
      return "400: path confusion: a backend that reads the raw path in another way would see "
             "another route's request";
    case Decision::Verdict::bad_target:
      return "400: bad target: '#', %00, a broken escape, or a path that climbs above the root";
  }
  return "";
}

}  // namespace segue::routing
