#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace segue::recorder {

// Every byte below 0x80; eight at a time.
inline bool is_ascii(std::string_view text) noexcept {
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    if ((word & 0x8080808080808080U) != 0) return false;
  }
  for (; left > 0; --left, ++at)
    if ((static_cast<unsigned char>(*at) & 0x80U) != 0) return false;
  return true;
}

// Length in bytes of the well-formed sequence (Unicode 15, table 3-7: no overlong forms, no
// surrogates, nothing above U+10FFFF) at the start of `text`; 0 when there is none.
std::size_t utf8_sequence(std::string_view text) noexcept;

bool is_utf8(std::string_view text) noexcept;

}  // namespace segue::recorder
