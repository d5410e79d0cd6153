#include "routing/listing.hpp"

#include <map>
#include <set>

#include "routing/canonical.hpp"
#include "routing/compiled_routes.hpp"
#include "routing/route_tests.hpp"

namespace segue::routing {
namespace {

std::string shadow_text(const RouteRule& rule) { return rule.shadow ? rule.shadow->to : ""; }

}  // namespace

std::vector<ListedRoute> list_routes(const RouteTable& table, std::span<const TestCase> tests) {
  std::map<std::string, std::size_t> covered;
  for (const auto& result : run_tests(table, tests)) ++covered[result.route];
  std::vector<ListedRoute> rows;
  std::set<const CompiledRoute*> listed;
  for (const auto& entry : table.compiled().order) {
    if (!listed.insert(entry.route).second) continue;  // its form with the other slash
    const auto& name = entry.route->rule.name;
    rows.push_back({rows.size() + 1, name, matcher_text(*entry.route, table.compiled()),
                    target_text(*entry.route, table.compiled()), entry.route->rule.fallback,
                    shadow_text(entry.route->rule),
                    covered[name]});
  }
  return rows;
}

}  // namespace segue::routing
