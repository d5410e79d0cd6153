#pragma once

#include <cstddef>
#include <string_view>

namespace segue::recorder::json {

// Positions in text that is known to be valid JSON. None of these reads past its end, whatever it
// holds.

inline std::size_t skip_blanks(std::string_view text, std::size_t at) noexcept {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
    ++at;
  return at;
}

// `at` is at the opening quote; the position behind the closing one.
inline std::size_t skip_string(std::string_view text, std::size_t at) noexcept {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return text.size();
}

inline std::size_t skip_scalar(std::string_view text, std::size_t at) noexcept {
  constexpr std::string_view kEnds = ",]} \t\r\n";
  const std::size_t end = text.find_first_of(kEnds, at);
  return end == std::string_view::npos ? text.size() : end;
}

inline std::size_t skip_value(std::string_view text, std::size_t at) noexcept {
  std::size_t depth = 0;
  do {
    at = skip_blanks(text, at);
    if (at >= text.size()) return text.size();
    const char c = text[at];
    if (c == '"') {
      at = skip_string(text, at);
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
      ++at;
    } else if (c == ',' || c == ':') {
      ++at;
    } else {
      at = skip_scalar(text, at + 1);
    }
  } while (depth > 0);
  return at;
}

}  // namespace segue::recorder::json
