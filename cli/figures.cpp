#include "cli/figures.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace segue::cli {

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string grouped(std::int64_t number) {
  const bool below = number < 0;
  const std::uint64_t size = below ? 0 - static_cast<std::uint64_t>(number)
                                   : static_cast<std::uint64_t>(number);
  return (below ? "-" : "") + grouped(size);
}

std::string duration_text(std::int64_t millis) {
  static constexpr std::array<std::pair<std::int64_t, const char*>, 4> kUnits{
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "min"}, {1'000, "s"}}};
  for (const auto& [unit, name] : kUnits)
    if (millis >= unit && millis % unit == 0) return fmt::format("{} {}", millis / unit, name);
  return fmt::format("{} ms", millis);
}

}  // namespace segue::cli
