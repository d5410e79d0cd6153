#include "routing/route_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "routing/canonical.hpp"
#include "routing/compiled_routes.hpp"
#include "routing/decider.hpp"
#include "routing/redirect_loops.hpp"
#include "routing/route_order.hpp"
#include "routing/rule_reader.hpp"

namespace segue::routing {
namespace {

using Rules = std::vector<const RouteRule*>;

Rules by_name(std::span<const RouteRule> rules) {
  Rules sorted;
  for (const auto& rule : rules) sorted.push_back(&rule);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return std::tie(a->name, a) < std::tie(b->name, b);
  });
  return sorted;
}

bool has_rule(const Rules& sorted, std::string_view name) {
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), name,
                       [](const auto* rule, std::string_view wanted) { return rule->name < wanted; });
  return found != sorted.end() && (*found)->name == name;
}

std::vector<Problem> check_names(const Rules& sorted) {
  std::vector<Problem> problems;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const RouteRule& rule = *sorted[i];
    const auto key = "routes." + rule.name;
    if (i > 0 && sorted[i - 1]->name == rule.name) {
      problems.push_back({"E058", key, fmt::format("two routes are named '{}'", rule.name),
                          "rename one of them"});
    }
    for (const auto& other : rule.before) {
      if (other == rule.name) {
        problems.push_back({"E052", key + ".before", "a route cannot come before itself",
                            "name the other route"});
      } else if (!has_rule(sorted, other)) {
        problems.push_back({"E052", key + ".before", fmt::format("there is no route '{}'", other),
                            "name a route of `routes`"});
      }
    }
  }
  return problems;
}

std::uint32_t place_of(std::map<std::string, std::uint32_t, std::less<>>& places,
                       const std::string& name, std::uint32_t next) {
  return places.emplace(name, next).first->second;
}

void build_tries(CompiledRoutes& table) {
  std::vector<std::vector<TrieEntry>> entries;
  for (const auto& entry : table.order) {
    const auto next = static_cast<std::uint32_t>(entries.size());
    const auto& host = entry.route->host;
    std::uint32_t place = next;
    if (host.kind == HostKind::exact) {
      place = place_of(table.exact_hosts, host.name, next);
    } else if (host.kind == HostKind::wildcard) {
      place = place_of(table.wildcard_hosts, host.name, next);
    } else {
      place = table.any_host.value_or(next);
      table.any_host = place;
    }
    if (place == next) entries.emplace_back();
    entries[place].push_back(entry);
  }
  table.tries.reserve(entries.size());
  for (const auto& list : entries) table.tries.emplace_back(list);
}

void append(std::vector<Problem>& problems, std::vector<Problem> more) {
  problems.insert(problems.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

void read_rules(CompiledRoutes& table, const Rules& rules, std::vector<Problem>& problems) {
  RuleReader reader(table);
  const RouteRule* last = nullptr;
  for (const auto* rule : rules) {
    const bool is_repeated = last != nullptr && last->name == rule->name;
    last = rule;
    auto route = reader.read(*rule);
    if (!route || is_repeated) continue;
    route->route = {rule->name, rule->match.path, static_cast<std::uint32_t>(table.routes.size())};
    table.public_routes.push_back(route->route);
    table.routes.push_back(*std::move(route));
  }
  append(problems, std::move(reader.problems()));
}

}  // namespace

RouteTable::RouteTable(std::unique_ptr<const CompiledRoutes> compiled)
    : compiled_(std::move(compiled)) {}
RouteTable::~RouteTable() = default;

CompileResult RouteTable::compile(std::span<const RouteRule> rules,
                                  std::span<const BackendRule> backends) {
  auto table = std::make_unique<CompiledRoutes>();
  table->backends.assign(backends.begin(), backends.end());
  const auto sorted = by_name(rules);
  CompileResult result;
  result.problems = check_names(sorted);
  read_rules(*table, sorted, result.problems);
  auto order = effective_order(*table);
  const bool is_cyclic = std::any_of(order.problems.begin(), order.problems.end(),
                                     [](const auto& problem) { return problem.code == "E055"; });
  append(result.problems, std::move(order.problems));
  if (!is_cyclic) append(result.problems, find_unreachable(*table));
  std::sort(result.problems.begin(), result.problems.end(), [](const auto& a, const auto& b) {
    return std::tie(a.key, a.code, a.message) < std::tie(b.key, b.code, b.message);
  });
  if (!result.problems.empty()) return result;
  table->order = std::move(order.entries);
  build_tries(*table);
  table->version = version_of(*table);
  result.table.reset(new RouteTable(std::move(table)));
  result.problems = find_redirect_loops(*result.table);
  if (!result.problems.empty()) result.table.reset();
  return result;
}

Decision RouteTable::decide(const HeadView& head, const Peer& peer,
                            Scratch& scratch) const noexcept {
  return Decider(*compiled_, head, peer, scratch).run();
}

std::span<const Route> RouteTable::routes() const noexcept { return compiled_->public_routes; }

std::span<const std::string> RouteTable::decision_headers() const noexcept {
  return compiled_->header_names;
}

std::string_view RouteTable::version() const noexcept { return compiled_->version; }

}  // namespace segue::routing
