#include "compare/yaml_text.hpp"

#include <fmt/format.h>

#include <iterator>

#include "recorder/utf8.hpp"

namespace segue::compare {
namespace {

constexpr std::size_t kLongestComment = 600;  // bytes

// Printable everywhere, and no line break in any version of YAML: U+0085, U+2028 and U+2029 are,
// and U+FEFF is a byte order mark.
bool is_plain(std::string_view character) noexcept {
  if (character.size() == 1) return character[0] >= 0x20 && character[0] != 0x7f;
  return !(character.size() == 2 && character[0] == '\xc2' &&
           static_cast<unsigned char>(character[1]) < 0xa0) &&
         character != "\xe2\x80\xa8" && character != "\xe2\x80\xa9" && character != "\xef\xbb\xbf";
}

// Calls each(character) for every UTF-8 sequence; "" for an octet that is part of none.
template <class Each>
void for_each_character(std::string_view text, Each each) {
  while (!text.empty()) {
    const std::size_t length = recorder::utf8_sequence(text);
    each(text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace

std::string yaml_text(std::string_view text) {
  std::string quoted = "\"";
  for_each_character(text, [&](std::string_view character) {
    if (character.empty())
      quoted += '?';
    else if (character == "\"" || character == "\\")
      quoted += '\\' + std::string(character);
    else if (is_plain(character))
      quoted += character;
    else if (character.size() == 1)
      fmt::format_to(std::back_inserter(quoted), "\\x{:02x}",
                     static_cast<unsigned char>(character[0]));
    else if (character.size() == 2)
      fmt::format_to(std::back_inserter(quoted), "\\x{:02x}",
                     static_cast<unsigned char>(character[1]));
    else
      quoted += character == "\xe2\x80\xa8"   ? "\\L"
                : character == "\xe2\x80\xa9" ? "\\P"
                                              : "\\ufeff";
  });
  return quoted += '"';
}

std::string yaml_comment(std::string_view text) {
  std::string line;
  for_each_character(text, [&](std::string_view character) {
    if (line.size() < kLongestComment)
      line += is_plain(character) && !character.empty() ? character : "?";
  });
  return line;
}

}  // namespace segue::compare
