#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace segue::gateway::http1 {

// What a byte may be part of; a byte can be several.
enum CharacterClass : std::uint8_t {
  kToken = 1,       // tchar (RFC 9110, 5.6.2)
  kUnderscore = 2,  // '_', which is a tchar too
  kTarget = 4,      // visible ASCII without '#': what a request target is made of
  kHost = 8,        // letters, digits, '-', '.', '_', '~': a registered name without escapes
  kDigit = 16,
  kControl = 32,  // below space without HTAB, and DEL: never inside a line
  kAddress = 64,  // inside the brackets of an IPv6 literal
};

constexpr std::array<std::uint8_t, 256> make_character_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool hex = digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    unsigned bits = 0;
    if (digit || letter) bits |= kToken | kHost;
    if (digit) bits |= kDigit;
    if (hex || c == ':' || c == '.') bits |= kAddress;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTarget;
    if ((c < 0x20 && c != '\t') || c == 0x7f) bits |= kControl;
    classes[c] = static_cast<std::uint8_t>(bits);
  }
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    classes[static_cast<unsigned char>(c)] |= kToken;
  for (const char c : std::string_view{"-._~"}) classes[static_cast<unsigned char>(c)] |= kHost;
  classes['_'] |= kUnderscore;
  return classes;
}

inline constexpr std::array<std::uint8_t, 256> kClasses = make_character_classes();

constexpr std::uint8_t classes_of(char c) {
  return kClasses[static_cast<unsigned char>(c)];
}
constexpr bool is_token(char c) {
  return (classes_of(c) & kToken) != 0;
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

constexpr bool is_token(std::string_view text) {
  for (const char c : text)
    if (!is_token(c)) return false;
  return !text.empty();
}

constexpr std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The first control byte (HTAB is none) at or after `p`, or `end`. Bytes from `begin` on may be
// read again, so that a short rest costs one load and not a loop.
inline const char* find_control(const char* begin, const char* p, const char* end) noexcept {
#ifdef __SSE2__
  const auto controls = [](const char* at) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del)));
  };
  for (; end - p >= 16; p += 16)
    if (const unsigned mask = controls(p)) return p + std::countr_zero(mask);
  if (p != end && end - begin >= 16) {
    const unsigned mask = controls(end - 16) >> (16 - (end - p));
    return mask ? p + std::countr_zero(mask) : end;
  }
#else
  (void)begin;
#endif
  while (p != end && !(classes_of(*p) & kControl)) ++p;
  return p;
}

}  // namespace segue::gateway::http1
