#pragma once

#include <string_view>

#include "compare/tree.hpp"

namespace segue::compare {

// `text` with every run of blanks, tabs and line ends as one blank, and none at its ends; kept in
// `arena`.
inline std::string_view fold_blanks(std::string_view text, TextArena& arena) {
  constexpr std::string_view kBlanks = " \t\r\n\f";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
  char* const room = arena.take(text.size());
  std::size_t size = 0;
  bool in_blanks = false;
  for (const char c : text) {
    const bool is_blank = kBlanks.find(c) != std::string_view::npos;
    if (!is_blank || !in_blanks) room[size++] = is_blank ? ' ' : c;
    in_blanks = is_blank;
  }
  return {room, size};
}

}  // namespace segue::compare
