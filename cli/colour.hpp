#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace segue::cli {

enum class Colour : std::uint8_t { automatic, always, never };

// Adds --color auto|always|never (SEGUE_COLOR).
void add_colour_option(CLI::App& app, Colour& colour);

// Paints text for one stream, or leaves it as it is. Automatic: a terminal that is not dumb, and
// no NO_COLOR.
class Paint {
 public:
  Paint(Colour colour, std::FILE* stream);
  std::string error(std::string_view text) const { return wrap("1;31", text); }
  std::string good(std::string_view text) const { return wrap("32", text); }
  std::string faint(std::string_view text) const { return wrap("2", text); }
  std::string strong(std::string_view text) const { return wrap("1", text); }

 private:
  std::string wrap(std::string_view code, std::string_view text) const;
  bool on_;
};

}  // namespace segue::cli
