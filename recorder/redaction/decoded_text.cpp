#include "recorder/redaction/decoded_text.hpp"

#include <numeric>

namespace segue::recorder {
namespace {

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The octet of an escape at the start of `text`, or -1.
int percent_escape(std::string_view text) noexcept {
  if (text.size() < 3 || text[0] != '%') return -1;
  const int high = hex_digit(text[1]);
  const int low = hex_digit(text[2]);
  return high < 0 || low < 0 ? -1 : high << 4 | low;
}

// Four hexadecimal digits; 0 where there are none.
std::uint32_t code_unit(std::string_view digits) noexcept {
  std::uint32_t unit = 0;
  for (const char c : digits.substr(0, 4)) unit = unit << 4 | (hex_digit(c) & 0xf);
  return digits.size() < 4 ? 0 : unit;
}

std::string utf8_of(std::uint32_t point) {
  std::string out;
  const auto trail = [&](unsigned shift) {
    out += static_cast<char>(0x80 | (point >> shift & 0x3f));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    trail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    trail(6);
    trail(0);
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    trail(12);
    trail(6);
    trail(0);
  }
  return out;
}

// What a JSON escape means, and how long it is. `text` starts with a backslash.
struct Escape {
  std::string meaning;
  std::size_t length;
};
Escape json_escape(std::string_view text) {
  if (text.size() < 2) return {std::string(text), text.size()};
  switch (text[1]) {
    case 'b':
      return {"\b", 2};
    case 'f':
      return {"\f", 2};
    case 'n':
      return {"\n", 2};
    case 'r':
      return {"\r", 2};
    case 't':
      return {"\t", 2};
    case 'u':
      break;
    default:
      return {std::string(1, text[1]), 2};
  }
  const std::uint32_t unit = code_unit(text.substr(2));
  const std::string_view rest = text.substr(text.size() < 6 ? text.size() : 6);
  if (unit >= 0xd800 && unit < 0xdc00 && rest.starts_with("\\u")) {
    const std::uint32_t low = code_unit(rest.substr(2));
    if (low >= 0xdc00 && low < 0xe000)
      return {utf8_of(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)), 12};
  }
  return {utf8_of(unit), text.size() < 6 ? text.size() : 6};
}

}  // namespace

bool has_percent_escape(std::string_view text) noexcept {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (percent_escape(text.substr(at)) >= 0) return true;
  return false;
}

void DecodedText::assign(std::string_view raw) {
  text_ = raw;
  origin_.resize(raw.size() + 1);
  std::iota(origin_.begin(), origin_.end(), 0U);
}

// A decoded text is never longer than its source, so it is written over it.
void DecodedText::keep(std::size_t& to, char c, std::size_t from) {
  text_[to] = c;
  origin_[to] = origin_[from];
  ++to;
}

bool DecodedText::undo_percent(Plus plus) {
  std::size_t to = 0;
  bool undone = false;
  for (std::size_t from = 0; from < text_.size();) {
    const int octet = percent_escape(std::string_view(text_).substr(from));
    if (octet >= 0) {
      keep(to, static_cast<char>(octet), from);
      from += 3;
      undone = true;
    } else {
      const bool space = plus == Plus::space && text_[from] == '+';
      undone |= space;
      keep(to, space ? ' ' : text_[from], from);
      ++from;
    }
  }
  origin_[to] = origin_[text_.size()];
  text_.resize(to);
  return undone;
}

void DecodedText::undo_json() {
  std::size_t to = 0;
  for (std::size_t from = 0; from < text_.size();) {
    if (text_[from] != '\\') {
      keep(to, text_[from], from);
      ++from;
      continue;
    }
    const Escape escape = json_escape(std::string_view(text_).substr(from));
    for (const char c : escape.meaning) keep(to, c, from);
    from += escape.length;
  }
  origin_[to] = origin_[text_.size()];
  text_.resize(to);
}

void DecodedText::trim() {
  if (text_.capacity() <= kKeptBytes) return;
  text_ = {};
  origin_ = {};
}

std::string percent_decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const int octet = percent_escape(text.substr(at));
    if (octet >= 0) {
      out += static_cast<char>(octet);
      at += 3;
    } else {
      out += plus == Plus::space && text[at] == '+' ? ' ' : text[at];
      ++at;
    }
  }
  return out;
}

}  // namespace segue::recorder
