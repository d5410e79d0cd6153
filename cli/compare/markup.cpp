#include "cli/compare/markup.hpp"

#include "cli/exchange_text.hpp"

namespace segue::cli {
namespace {

// U+FFFE and U+FFFF are well-formed UTF-8 and no characters.
bool is_no_character(std::string_view text) {
  return text.starts_with("\xef\xbf\xbe") || text.starts_with("\xef\xbf\xbf");
}

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      out += c;
  }
}

}  // namespace

std::string escape_markup(std::string_view text, Breaks breaks) {
  const std::string clean = printable(text, breaks == Breaks::keep ? Lines::keep : Lines::escape);
  std::string out;
  out.reserve(clean.size() + clean.size() / 8);
  for (std::string_view rest = clean; !rest.empty();) {
    if (is_no_character(rest)) {
      out += rest[2] == '\xbe' ? "\\xef\\xbf\\xbe" : "\\xef\\xbf\\xbf";
      rest.remove_prefix(3);
      continue;
    }
    append_escaped(out, rest.front());
    rest.remove_prefix(1);
  }
  return out;
}

}  // namespace segue::cli
