#include "cli/query/shell_words.hpp"

#include <utility>

namespace segue::cli {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Takes one character from the front, with what a backslash before it means.
char take(std::string_view& rest, char quote) {
  const bool escapes = rest.front() == '\\' && rest.size() > 1 && quote != '\'' &&
                       (quote == 0 || rest[1] == quote || rest[1] == '\\');
  if (escapes) rest.remove_prefix(1);
  const char c = rest.front();
  rest.remove_prefix(1);
  return c;
}

// The word that `rest` begins with; nullopt: a quote in it is not closed.
std::optional<std::string> take_word(std::string_view& rest) {
  std::string word;
  char quote = 0;  // that is open
  while (!rest.empty() && (quote != 0 || !is_blank(rest.front()))) {
    const char c = rest.front();
    if (quote == 0 ? c == '\'' || c == '"' : c == quote) {
      quote = quote == 0 ? c : char{0};
      rest.remove_prefix(1);
    } else {
      word += take(rest, quote);
    }
  }
  return quote == 0 ? std::optional(std::move(word)) : std::nullopt;
}

}  // namespace

std::optional<std::vector<std::string>> shell_words(std::string_view line) {
  std::vector<std::string> words;
  for (;;) {
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (line.empty()) return words;
    auto word = take_word(line);
    if (!word) return std::nullopt;
    words.push_back(std::move(*word));
  }
}

}  // namespace segue::cli
