#include "compare/shape.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace segue::compare {
namespace {

constexpr std::size_t kLongestShaped = 4'096;  // bytes; what is longer is free text
constexpr std::size_t kLeastHex = 8;
constexpr std::size_t kLeastToken = 16;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_token(char c) noexcept {
  return is_digit(c) || is_letter(c) || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
}

bool all(std::string_view text, bool (*holds)(char) noexcept) noexcept {
  return std::ranges::all_of(text, holds);
}
bool has_digit(std::string_view text) noexcept {
  return std::ranges::any_of(text, is_digit);
}

// `form`: 9 stands for a digit, everything else for itself.
bool has_form(std::string_view text, std::string_view form) noexcept {
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == '9' ? !is_digit(text[i]) : text[i] != form[i]) return false;
  return true;
}

enum class Zone : std::uint8_t { wanted, optional };

// What follows the seconds.
bool is_fraction_and_zone(std::string_view text, Zone zone) noexcept {
  if (text.starts_with('.')) {
    std::size_t end = 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == 1) return false;
    text.remove_prefix(end);
  }
  if (text.empty()) return zone == Zone::optional;
  if (text == "Z" || text == "z" || has_form(text, "+99:99") || has_form(text, "-99:99"))
    return true;
  return zone == Zone::optional && (has_form(text, "+9999") || has_form(text, "-9999"));
}

bool is_date_time(std::string_view text, Zone zone) noexcept {
  constexpr std::size_t kSeconds = 19;
  if (text.size() < kSeconds || !has_form(text.substr(0, 10), "9999-99-99")) return false;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return false;
  return has_form(text.substr(11, 8), "99:99:99") &&
         is_fraction_and_zone(text.substr(kSeconds), zone);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"; of the obsolete forms none is written any more.
bool is_http_date(std::string_view text) noexcept {
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return false;
  if (!all(text.substr(0, 3), is_letter) || !all(text.substr(8, 3), is_letter)) return false;
  return has_form(text.substr(5, 3), "99 ") && has_form(text.substr(11, 14), " 9999 99:99:99");
}

enum : std::uint16_t {
  kEmpty = 1,
  kUuid = 2,
  kTime = 4,
  kWhole = 8,
  kDecimal = 16,
  kHex = 32,
  kToken = 64,
  kAddress = 128,
  kMail = 256,
  kHash = 512,
};

bool is_decimal(std::string_view text) noexcept {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (whole.empty() || !all(whole, is_digit)) return false;
  if (point == std::string_view::npos) return true;
  return point + 1 < text.size() && all(text.substr(point + 1), is_digit);
}

bool is_mail(std::string_view text) noexcept {
  const std::size_t at = text.find('@');
  return at != std::string_view::npos && at > 0 && text.find(' ') == std::string_view::npos &&
         text.find('.', at) != std::string_view::npos &&
         text.find('@', at + 1) == std::string_view::npos;
}

std::uint16_t shapes_of(std::string_view text) noexcept {
  if (text.empty()) return kEmpty;
  if (text.size() > kLongestShaped) return 0;
  if (is_uuid(text)) return kUuid;
  if (is_date_time(text, Zone::optional) || is_http_date(text) || has_form(text, "9999-99-99"))
    return kTime;
  if (text.starts_with("http://") || text.starts_with("https://")) return kAddress;
  if (text.starts_with("h:") && text.find(':', 2) != std::string_view::npos) return kHash;
  if (is_mail(text)) return kMail;
  std::uint16_t shapes = 0;
  if (is_decimal(text)) shapes |= kDecimal;
  if (all(text, is_digit)) shapes |= kWhole;
  if (text.size() >= kLeastHex && all(text, is_hex)) shapes |= kHex;
  if (text.size() >= kLeastToken && all(text, is_token) && has_digit(text)) shapes |= kToken;
  return shapes;
}

}  // namespace

bool is_uuid(std::string_view text) noexcept {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (is_dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_timestamp(std::string_view text) noexcept {
  return is_date_time(text, Zone::wanted) || is_http_date(text);
}

bool same_shape(std::string_view a, std::string_view b) noexcept {
  const std::uint16_t left = shapes_of(a);
  const std::uint16_t right = shapes_of(b);
  return left == right || (left & right) != 0;
}

bool is_generated_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kLongestShaped) return false;
  if (all(name, is_digit) || is_uuid(name)) return true;
  if (is_date_time(name, Zone::optional) || has_form(name, "9999-99-99")) return true;
  return name.size() >= kLeastHex && all(name, is_hex) && has_digit(name);
}

}  // namespace segue::compare
