#include "cli/query/statement_text.hpp"

#include <algorithm>

namespace segue::cli {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The end of what begins with `from` and ends with `end`; of the text where that does not come.
std::size_t past(std::string_view text, std::size_t from, std::string_view end) {
  const std::size_t found = text.find(end, from);
  return found == std::string_view::npos ? text.size() : found + end.size();
}

// "$$" or "$word$" at the start of `text`, or nothing.
std::string_view dollar_quote(std::string_view text) {
  std::size_t end = 1;
  while (end < text.size() && is_word(text[end])) ++end;
  const bool quote = text.starts_with('$') && end < text.size() && text[end] == '$';
  return quote ? text.substr(0, end + 1) : std::string_view{};
}

enum class Piece { comment, quoted, plain };

// The piece that begins at `at`, and its end.
std::pair<Piece, std::size_t> piece(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  if (rest.starts_with("--")) return {Piece::comment, past(text, at, "\n")};
  if (rest.starts_with("/*")) return {Piece::comment, past(text, at + 2, "*/")};
  if (rest.front() == '\'' || rest.front() == '"')
    return {Piece::quoted, past(text, at + 1, rest.substr(0, 1))};
  if (const auto quote = dollar_quote(rest); !quote.empty())
    return {Piece::quoted, past(text, at + quote.size(), quote)};
  return {Piece::plain, at + 1};
}

}  // namespace

StatementTexts split_statements(std::string_view text) {
  StatementTexts texts;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto [what, end] = piece(text, at);
    if (what == Piece::plain && text[at] == ';') {
      texts.whole.emplace_back(text.substr(begin, at - begin));
      begin = end;
    }
    at = end;
  }
  texts.rest = text.substr(begin);
  return texts;
}

bool says_something(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto [what, end] = piece(text, at);
    if (what == Piece::quoted || (what == Piece::plain && !is_space(text[at]))) return true;
    at = end;
  }
  return false;
}

}  // namespace segue::cli
