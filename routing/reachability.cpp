#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "routing/route_order.hpp"

namespace segue::routing {
namespace {

bool has_wide_expression(const PathPattern& pattern) {
  return pattern.whole != nullptr ||
         std::any_of(pattern.segments.begin(), pattern.segments.end(),
                     [](const auto& segment) {
                       return segment.kind == SegmentKind::regex &&
                              matches_every_segment(*segment.regex);
                     });
}

// A route that wins over all of another's requests either ties with it on host and path, or has
// an expression that matches everything: nothing else both ranks before a pattern and covers it.
class Reachability {
 public:
  explicit Reachability(const CompiledRoutes& table) : table_(table) {
    for (const auto& route : table.routes) {
      for (const auto& pattern : route.patterns) {
        const Candidate candidate{&route, &pattern};
        groups_[tie_group(candidate)].push_back(candidate);
        if (has_wide_expression(pattern)) expressions_.push_back(candidate);
      }
    }
  }

  std::vector<Problem> run() const {
    std::vector<Problem> problems;
    for (const auto& route : table_.routes) {
      std::set<std::string> takers;
      const bool reachable = std::any_of(
          route.patterns.begin(), route.patterns.end(),
          [&](const auto& pattern) { return is_reachable({&route, &pattern}, takers); });
      if (reachable) continue;
      problems.push_back(
          {"E057", "routes." + route.rule.name,
           fmt::format("'{}' is never chosen: every request it matches goes to {}",
                       route.rule.name, fmt::join(takers, ", ")),
           "remove it, or narrow what wins over it"});
    }
    return problems;
  }

 private:
  // Adds to `takers` the routes that take something from the candidate.
  bool is_reachable(const Candidate& candidate, std::set<std::string>& takers) const {
    const std::uint64_t named = (std::uint64_t{1} << table_.methods.size()) - 1;
    std::uint64_t left = candidate.route->methods & (named | kOtherMethod);
    for (const auto* rivals : {&groups_.at(tie_group(candidate)), &expressions_}) {
      for (const auto& rival : *rivals) {
        if (!takes_all(rival, candidate, left)) continue;
        if ((left & rival.route->methods) != 0) takers.insert(rival.route->rule.name);
        left &= ~rival.route->methods;
      }
    }
    return left != 0;
  }

  // Whether `rival` wins every request of `candidate` whose method it has at all.
  static bool takes_all(const Candidate& rival, const Candidate& candidate, std::uint64_t left) {
    if (rival.route == candidate.route || !covers(rival, candidate)) return false;
    const auto preference = prefer(rival, candidate);
    return preference.by != DecidedBy::nothing && preference.first_wins &&
           includes_conditions(*candidate.route, left & rival.route->methods, *rival.route);
  }

  const CompiledRoutes& table_;
  std::map<std::string, std::vector<Candidate>> groups_;
  std::vector<Candidate> expressions_;
};

}  // namespace

std::vector<Problem> find_unreachable(const CompiledRoutes& table) {
  return Reachability(table).run();
}

}  // namespace segue::routing
