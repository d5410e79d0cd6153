#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace segue::cli {

enum class Breaks : std::uint8_t { escape, keep };  // line feeds and tabs

// Any octets as text of an HTML or XML document, within elements and within quoted attributes.
// Control characters, what is not UTF-8, and what XML 1.0 forbids (section 2.2) come as \xNN.
std::string escape_markup(std::string_view text, Breaks breaks = Breaks::escape);

}  // namespace segue::cli
