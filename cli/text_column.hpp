#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace segue::cli {

// Width in characters, not bytes.
std::size_t text_width(std::string_view utf8);

// `text` in exactly `wanted` characters: filled with blanks behind, or cut in its middle.
std::string text_column(const std::string& text, std::size_t wanted);

}  // namespace segue::cli
