#include "cli/text_column.hpp"

#include <fmt/format.h>

namespace segue::cli {
namespace {

// The first `count` characters.
std::string_view first(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size() && count > 0) {
    do ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    --count;
  }
  return text.substr(0, at);
}

}  // namespace

std::size_t text_width(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

std::string text_column(const std::string& text, std::size_t wanted) {
  const std::size_t has = text_width(text);
  if (has <= wanted) return text + std::string(wanted - has, ' ');
  const std::size_t tail = wanted / 3;
  const std::string_view head = first(text, wanted - tail - 1);
  const std::string_view skipped = first(text, has - tail);
  return fmt::format("{}…{}", head, std::string_view(text).substr(skipped.size()));
}

}  // namespace segue::cli
