#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace segue::cli {

// "500ms", "90s", "15m", "24h", "7d"; nullopt for anything else.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace segue::cli
