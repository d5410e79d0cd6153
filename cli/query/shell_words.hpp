#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::cli {

// The words of a line as a POSIX shell has them (XCU 2.2), without its expansions: blanks part them,
// single and double quotes keep blanks, and a backslash takes the next character as it is, but for
// one in single quotes, and one in double quotes before anything but a quote or a backslash. nullopt:
// a quote is not closed.
std::optional<std::vector<std::string>> shell_words(std::string_view line);

}  // namespace segue::cli
