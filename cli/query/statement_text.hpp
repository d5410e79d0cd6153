#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace segue::cli {

// Text of SQL cut at its semicolons, as far as it goes: those in quotes, in dollar quotes and in
// comments are none.
struct StatementTexts {
  std::vector<std::string> whole;  // each ended by a semicolon, which is left out
  std::string rest;                // what is still open
};
StatementTexts split_statements(std::string_view text);

// Whether there is anything but space and comments in it.
bool says_something(std::string_view text);

}  // namespace segue::cli
