#include "routing/route_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>


namespace segue::routing {
namespace {

// Ties printed in one run; a table with more has one cause, and the rest would hide it.
constexpr std::size_t kMaxTies = 100;

struct Placed {
  Candidate candidate;
  TrieEntry entry;
};

using Names = std::pair<std::string_view, std::string_view>;

class Ordering {
 public:
  explicit Ordering(const CompiledRoutes& table) : table_(table) {
    for (const auto& route : table.routes) {
      for (std::uint32_t i = 0; i < route.patterns.size(); ++i) {
        const Candidate candidate{&route, &route.patterns[i]};
        groups_[tie_group(candidate)].push_back({candidate, make_entry(route, i)});
      }
    }
  }

  EffectiveOrder run() {
    check_before();
    for (auto& [key, group] : groups_) place(group);
    if (ties_.size() > kMaxTies) {
      complain("E056", table_.routes.front(), "",
               fmt::format("and {} more ties", ties_.size() - kMaxTies), "");
    }
    for (std::uint32_t i = 0; i < result_.entries.size(); ++i) result_.entries[i].order = i;
    return std::move(result_);
  }

 private:
  void complain(std::string code, const CompiledRoute& route, std::string_view under,
                std::string message, std::string fix) {
    result_.problems.push_back({std::move(code), "routes." + route.rule.name + std::string(under),
                                std::move(message), std::move(fix)});
  }

  const CompiledRoute* find(std::string_view name) const {
    const auto found = std::lower_bound(
        table_.routes.begin(), table_.routes.end(), name,
        [](const auto& route, std::string_view wanted) { return route.rule.name < wanted; });
    return found != table_.routes.end() && found->rule.name == name ? &*found : nullptr;
  }

  // Every `before` must decide a tie; one that does nothing, or says what rules 1 to 3 deny,
  // would mislead who reads it.
  void check_before() {
    for (const auto& route : table_.routes) {
      for (const auto& name : route.rule.before) {
        const CompiledRoute* other = find(name);
        if (other != nullptr && other != &route) check_before(route, *other);
      }
    }
    find_cycles();
  }

  void check_before(const CompiledRoute& route, const CompiledRoute& other) {
    std::size_t overlaps = 0;
    bool decides = false;
    for (const auto& own : route.patterns) {
      for (const auto& theirs : other.patterns) {
        const Candidate a{&route, &own};
        const Candidate b{&other, &theirs};
        if (!may_overlap(a, b)) continue;
        ++overlaps;
        const auto preference = prefer_unaided(a, b);
        decides = decides || preference.by == DecidedBy::nothing || preference.first_wins;
      }
    }
    if (overlaps == 0) {
      complain("E053", route, ".before",
               fmt::format("no request matches both '{}' and '{}'", route.rule.name,
                           other.rule.name),
               "remove this `before`");
    } else if (!decides) {
      complain("E054", route, ".before",
               fmt::format("'{}' wins over '{}' by the precedence of host, path or conditions; "
                           "`before` only decides ties",
                           other.rule.name, route.rule.name),
               "remove this `before`, or make this route narrower");
    }
  }

  void find_cycles() {
    std::set<const CompiledRoute*> done;
    for (const auto& route : table_.routes) {
      std::vector<const CompiledRoute*> trail;
      follow(route, trail, done);
    }
  }

  void follow(const CompiledRoute& route, std::vector<const CompiledRoute*>& trail,
              std::set<const CompiledRoute*>& done) {
    const auto seen = std::find(trail.begin(), trail.end(), &route);
    if (seen != trail.end()) {
      std::string names;
      for (auto at = seen; at != trail.end(); ++at) names += (*at)->rule.name + " before ";
      complain("E055", route, ".before", fmt::format("a cycle: {}{}", names, route.rule.name),
               "remove one of these `before`");
      cyclic_ = true;
      return;
    }
    if (done.contains(&route)) return;
    trail.push_back(&route);
    for (const auto& name : route.rule.before) {
      const auto* next = find(name);
      if (next != nullptr && next != &route) follow(*next, trail, done);
    }
    trail.pop_back();
    done.insert(&route);
  }

  void place(std::vector<Placed>& group) {
    std::vector<std::vector<std::size_t>> losers(group.size());
    std::vector<std::size_t> winners(group.size());
    for (std::size_t i = 0; i < group.size(); ++i) {
      for (std::size_t j = i + 1; j < group.size(); ++j) {
        const auto& a = group[i].candidate;
        const auto& b = group[j].candidate;
        if (a.route == b.route || !may_overlap(a, b)) continue;
        const auto preference = prefer(a, b);
        if (preference.by == DecidedBy::nothing) {
          report_tie(a, b);
          continue;
        }
        const auto winner = preference.first_wins ? i : j;
        losers[winner].push_back(winner == i ? j : i);
        ++winners[winner == i ? j : i];
      }
    }
    sort(group, losers, winners);
  }

  // Kahn's algorithm; groups are in the order of names, and so is what no edge decides.
  void sort(const std::vector<Placed>& group, const std::vector<std::vector<std::size_t>>& losers,
            std::vector<std::size_t>& winners) {
    std::set<std::size_t> free;
    std::size_t placed = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (winners[i] == 0) free.insert(i);
    }
    while (!free.empty()) {
      const auto next = *free.begin();
      free.erase(free.begin());
      result_.entries.push_back(group[next].entry);
      ++placed;
      for (const auto loser : losers[next]) {
        if (--winners[loser] == 0) free.insert(loser);
      }
    }
    if (placed != group.size() && !cyclic_) report_cycle(group, winners);
  }

  // A cycle through `before` and narrower conditions together.
  void report_cycle(const std::vector<Placed>& group, const std::vector<std::size_t>& winners) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (winners[i] != 0) names.push_back(group[i].candidate.route->rule.name);
    }
    complain("E055", *find(names.front()), ".before",
             fmt::format("a cycle: by `before` and narrower conditions together, none of {} comes "
                         "first",
                         fmt::join(names, ", ")),
             "remove one of their `before`");
  }

  void report_tie(const Candidate& a, const Candidate& b) {
    const auto& first = a.route->rule.name;
    const auto& second = b.route->rule.name;
    if (!ties_.insert({first, second}).second || ties_.size() > kMaxTies) return;
    const auto witness = witness_for(a, b, table_);
    const auto what =
        witness ? fmt::format("matched by both: {}", *witness)
                : std::string("two expressions may match the same text; no example could be built");
    complain("E056", *a.route, "",
             fmt::format("'{}' and '{}' tie: {}", first, second, what),
             fmt::format("before: {}   (in {}, or the other way round), or a method, header or "
                         "query condition that only one of them has",
                         second, first));
  }

  const CompiledRoutes& table_;
  std::map<std::string, std::vector<Placed>> groups_;
  std::set<Names> ties_;
  EffectiveOrder result_;
  bool cyclic_ = false;
};

}  // namespace

std::string tie_group(const Candidate& candidate) {
  const auto& host = candidate.route->host;
  std::string key = fmt::format("{}{:03}{}\n{}\n", static_cast<int>(host.kind),
                                999 - std::min<std::size_t>(host.labels(), 999), host.name,
                                candidate.pattern->rank());
  for (const auto& segment : candidate.pattern->segments) {
    if (segment.kind == SegmentKind::literal) key += segment.text;
    key += '\n';
  }
  return key;
}

EffectiveOrder effective_order(const CompiledRoutes& table) { return Ordering(table).run(); }

}  // namespace segue::routing
