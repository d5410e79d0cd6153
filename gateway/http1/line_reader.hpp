#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/http1/characters.hpp"

namespace segue::gateway::http1 {

// Cuts a growing buffer into lines that end in CRLF. Each byte is looked at once, however the
// bytes arrive: a slow sender costs no rescans. Control bytes other than HTAB are damage as soon
// as they are seen.
class LineReader {
 public:
  enum class State : std::uint8_t { complete, partial, damaged };

  struct Line {
    State state;
    std::string_view text;         // without its end; what came before the damage; what came so far
    const char* damage = nullptr;  // reason label
  };

  Line next(std::string_view buffer) noexcept {
    const char* const begin = buffer.data();
    const char* const end = begin + buffer.size();
    const char* const line = begin + line_;
    const char* const found = find_control(begin, begin + scanned_, end);
    const std::string_view text{line, static_cast<std::size_t>(found - line)};
    scanned_ = static_cast<std::size_t>(found - begin);
    if (found == end) return {State::partial, text};
    if (*found != '\r') return {State::damaged, text, name_damage(*found)};
    if (found + 1 == end) return {State::partial, text};
    if (found[1] != '\n') return {State::damaged, text, "bare_cr"};
    line_ = scanned_ = scanned_ + 2;
    return {State::complete, text};
  }

  // Where the next line starts.
  std::size_t position() const noexcept { return line_; }

 private:
  static const char* name_damage(char c) noexcept {
    if (c == '\n') return "bare_lf";
    return c == '\0' ? "nul_byte" : "control_byte";
  }

  std::size_t line_ = 0;     // start of the line that is not complete yet
  std::size_t scanned_ = 0;  // no control byte between line_ and here
};

}  // namespace segue::gateway::http1
