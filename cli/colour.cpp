#include "cli/colour.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/word_option.hpp"

namespace segue::cli {
namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool can_paint(std::FILE* stream) {
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return !is_set("NO_COLOR") && !is_dumb && ::isatty(::fileno(stream)) == 1;
}

}  // namespace

void add_colour_option(CLI::App& app, Colour& colour) {
  add_word_option<Colour>(
      app, "--color", colour,
      {{"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}},
      "When to use colour")
      ->envname("SEGUE_COLOR");
}

Paint::Paint(Colour colour, std::FILE* stream)
    : on_(colour == Colour::always || (colour == Colour::automatic && can_paint(stream))) {}

std::string Paint::wrap(std::string_view code, std::string_view text) const {
  if (!on_ || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

}  // namespace segue::cli
