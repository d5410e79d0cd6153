#include "exchange/id.hpp"

#include <sys/random.h>

#include <bit>

#include "exchange/ensure.hpp"

namespace segue {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

std::optional<ExchangeId> ExchangeId::parse(std::string_view text) noexcept {
  if (text.size() != kTextLength) return std::nullopt;
  std::array<std::uint8_t, kBytes> bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < kBytes; ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_digit(text[at]);
    const int low = hex_digit(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    at += 2;
  }
  return ExchangeId{bytes};
}

std::optional<ExchangeId> ExchangeId::from_bytes(std::string_view raw) noexcept {
  if (raw.size() != kBytes) return std::nullopt;
  std::array<std::uint8_t, kBytes> bytes{};
  for (std::size_t i = 0; i < kBytes; ++i) bytes[i] = static_cast<std::uint8_t>(raw[i]);
  return ExchangeId{bytes};
}

void ExchangeId::format(char* out) const noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < kBytes; ++i) {
    if (dash_before(i)) *out++ = '-';
    *out++ = digits[bytes_[i] >> 4];
    *out++ = digits[bytes_[i] & 15];
  }
}

std::string ExchangeId::text() const {
  std::string text(kTextLength, '\0');
  format(text.data());
  return text;
}

std::int64_t ExchangeId::unix_millis() const noexcept {
  std::int64_t millis = 0;
  for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | bytes_[i];
  return millis;
}

ExchangeIdSource::ExchangeIdSource() {
  const ssize_t got = getrandom(state_.data(), sizeof state_, 0);
  ensure(got == static_cast<ssize_t>(sizeof state_), "the kernel gives 32 random bytes");
  state_[0] |= 1;  // the generator must not start at all zeros
}

// xoshiro256** (Blackman and Vigna, 2018): fast, not secret; ids need to be distinct only.
std::uint64_t ExchangeIdSource::random() noexcept {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

ExchangeId ExchangeIdSource::next(std::int64_t unix_micros) noexcept {
  const auto micros = static_cast<std::uint64_t>(unix_micros);
  // 12 bits hold 1/4096 ms: the microseconds within the millisecond, scaled.
  const std::uint64_t now = (micros / 1000) << 12 | ((micros % 1000) * 4096 / 1000);
  last_ = now > last_ ? now : last_ + 1;
  const std::uint64_t noise = random();
  std::array<std::uint8_t, ExchangeId::kBytes> bytes;
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(last_ >> (52 - 8 * i));
  bytes[6] = static_cast<std::uint8_t>(0x70 | (last_ >> 8 & 0x0f));
  bytes[7] = static_cast<std::uint8_t>(last_);
  for (std::size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<std::uint8_t>(noise >> (8 * i));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  return ExchangeId{bytes};
}

}  // namespace segue
