#pragma once

#include <vector>

#include "routing/route_table.hpp"

namespace segue::routing {

// E065 for each redirect that never ends: an example request of the route is followed as a browser
// follows it, over every route of the table. A host that no route matches by name is taken for
// somebody else's, and so is another port of the same scheme.
std::vector<Problem> find_redirect_loops(const RouteTable& table);

}  // namespace segue::routing
