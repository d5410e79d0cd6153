#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace segue::recorder {

// RFC 4648, section 5, without padding.
constexpr std::size_t base64url_length(std::size_t bytes) {
  return (bytes * 8 + 5) / 6;
}

// Writes base64url_length() characters; returns their end.
char* write_base64url(std::string_view bytes, char* out) noexcept;
void append_base64url(std::string_view bytes, std::string& out);

bool is_base64url(char c) noexcept;

// nullopt for any other character, a length that no encoder makes, or bits left over.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace segue::recorder
