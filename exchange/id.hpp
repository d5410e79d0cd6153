#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue {

// Identifies one exchange: a UUIDv7 (RFC 9562, 5.7), so ids sort by the millisecond they were
// made in. All zeros means "none".
class ExchangeId {
 public:
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t kTextLength = 36;

  ExchangeId() = default;
  explicit ExchangeId(const std::array<std::uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  // Canonical text ("0199a5b2-...", either case); nullopt when it is anything else.
  static std::optional<ExchangeId> parse(std::string_view text) noexcept;
  // Exactly 16 raw bytes; nullopt otherwise.
  static std::optional<ExchangeId> from_bytes(std::string_view raw) noexcept;

  // Writes 36 lower-case characters, no terminator.
  void format(char* out) const noexcept;
  std::string text() const;
  std::string_view raw() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), kBytes};
  }
  // Milliseconds since the Unix epoch, from the first 48 bits.
  std::int64_t unix_millis() const noexcept;
  bool empty() const noexcept { return *this == ExchangeId{}; }

  auto operator<=>(const ExchangeId&) const = default;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

// Makes ids for one core: not thread-safe, no system call after construction, strictly
// increasing. 62 random bits an id come from a generator seeded by the kernel; 12 bits carry the
// order within a millisecond (RFC 9562, 6.2, method 3).
class ExchangeIdSource {
 public:
  ExchangeIdSource();
  // `unix_micros`: now. A clock that steps back does not make ids go back.
  ExchangeId next(std::int64_t unix_micros) noexcept;

 private:
  std::uint64_t random() noexcept;

  std::array<std::uint64_t, 4> state_;
  std::uint64_t last_ = 0;  // 48 bits of milliseconds, then 12 bits of sub-millisecond order
};

}  // namespace segue
