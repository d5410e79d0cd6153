#pragma once

#include <string_view>

#include "compare/tree.hpp"

namespace segue::compare {

// Makes a tree of a text: a node for each line, without its line feed. What follows the last line
// feed is a line too, even when it is empty.
TreeMade read_lines(std::string_view body, Tree& tree);

}  // namespace segue::compare
