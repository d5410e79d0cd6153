#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "compare/report.hpp"

namespace segue::cli {

// The section of one route in the HTML report. `number` names its anchor, "route-3"; `source`
// stands in the commands that it tells.
std::string page_route(const compare::RouteReport& route, std::size_t number,
                       std::string_view source);

// "<span class="badge bad">2 findings</span>", or that there are none, or that nobody can tell.
std::string page_badge(const compare::RouteReport& route);

// A share as a bar with its interval, of a whole of `full` (0 to 1). An SVG without style, as the
// page's policy wants it.
std::string page_bar(const compare::Share& share, double full, std::string_view kind);

}  // namespace segue::cli
