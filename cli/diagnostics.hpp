#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/colour.hpp"
#include "config/diagnostic.hpp"

namespace segue::cli {

// Control characters as \xNN, so that no file can drive a terminal; tabs and line breaks stay.
std::string printable(std::string_view text);

// One diagnostic for people: where, what, the line, a caret, the hint.
std::string as_text(const config::Diagnostic& diagnostic, const Paint& paint);
// All of them, an empty line between two.
std::string as_text(std::span<const config::Diagnostic> diagnostics, const Paint& paint);

// One line as GitHub's workflow commands want it.
std::string as_github(const config::Diagnostic& diagnostic);

// "1 error", "3 errors".
std::string count_of(std::size_t count, std::string_view noun);

}  // namespace segue::cli
