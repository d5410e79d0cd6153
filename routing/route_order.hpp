#pragma once

#include <string>
#include <vector>

#include "routing/compiled_routes.hpp"
#include "routing/precedence.hpp"

namespace segue::routing {

// Puts all patterns of a table into one order in which the lowest that matches a request is the
// winner by the precedence rule, and finds what keeps such an order from existing: ties, cycles,
// `before` that decides nothing, routes that never win. Routes must be sorted by name.
struct EffectiveOrder {
  std::vector<TrieEntry> entries;  // in their order
  std::vector<Problem> problems;
};
EffectiveOrder effective_order(const CompiledRoutes& table);

// Equal for two candidates of one table exactly when host, rank and literal segments are equal:
// only then can they tie. Sorts as the precedence rule ranks host and path.
std::string tie_group(const Candidate& candidate);

// E057 for every route of which each request it matches goes to other routes.
std::vector<Problem> find_unreachable(const CompiledRoutes& table);

}  // namespace segue::routing
