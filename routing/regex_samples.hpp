#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace segue::routing {

// Guesses strings that an RE2 expression could match, by walking its common syntax: literals,
// classes, groups, alternatives, repetition. The guesses may be wrong or absent; the caller
// checks each one with RE2.
std::vector<std::string> sample_expression(std::string_view expression);

}  // namespace segue::routing
