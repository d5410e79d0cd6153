#include "cli/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace segue::cli {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kUnits{
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  constexpr std::int64_t kLongest = 1'000'000'000;  // of any unit: no overflow
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || count < 0 || count > kLongest) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, millis] : kUnits)
    if (unit == name) return std::chrono::milliseconds(count * millis);
  return std::nullopt;
}

}  // namespace segue::cli
