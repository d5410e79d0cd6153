#include "recorder/redaction/base64url.hpp"

#include <cstdint>

namespace segue::recorder {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int digit(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-') return 62;
  return c == '_' ? 63 : -1;
}

}  // namespace

char* write_base64url(std::string_view bytes, char* out) noexcept {
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6;) {
      held -= 6;
      *out++ = kAlphabet[bits >> held & 63];
    }
  }
  if (held > 0) *out++ = kAlphabet[bits << (6 - held) & 63];
  return out;
}

void append_base64url(std::string_view bytes, std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + base64url_length(bytes.size()));
  write_base64url(bytes, out.data() + before);
}

bool is_base64url(char c) noexcept {
  return digit(c) >= 0;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 6 / 8);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const int value = digit(c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  if (held >= 6 || (bits & ((1U << held) - 1)) != 0) return std::nullopt;
  return bytes;
}

}  // namespace segue::recorder
