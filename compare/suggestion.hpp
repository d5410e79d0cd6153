#pragma once

#include <map>
#include <string>

#include "compare/report.hpp"
#include "compare/settings.hpp"

namespace segue::compare {

// The `compare:` YAML that would silence what is noise, for a person to review: routes with their
// rules as they are (`rules`, by route) and what is new, each with a comment that says how often it
// differed and between what. Empty when there is nothing to suggest.
std::string suggest_rules(const Report& report, const std::map<std::string, RouteRules>& rules);

}  // namespace segue::compare
