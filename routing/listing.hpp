#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "routing/route_table.hpp"

namespace segue::routing {

// One row of `segue routes list`.
struct ListedRoute {
  std::size_t order = 0;  // 1 is looked at first; routes that cannot meet are ordered by text
  std::string name;
  std::string matcher;    // "GET|HEAD /searches/{id} x-beta=1"
  std::string target;     // "legacy", or "legacy 90 / new 10"
  std::string fallback;   // "legacy"; empty: none
  std::string shadow;     // "new", "other"; empty: no copies are sent
  std::size_t tests = 0;  // cases that end at this route
};

// All routes in their effective order.
std::vector<ListedRoute> list_routes(const RouteTable& table, std::span<const TestCase> tests);

}  // namespace segue::routing
