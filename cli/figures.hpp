#pragma once

#include <cstdint>
#include <string>

namespace segue::cli {

// "1,234,567".
std::string grouped(std::uint64_t number);
std::string grouped(std::int64_t number);

// "250 ms", "90 s", "36 h", "7 d": the largest unit that divides it.
std::string duration_text(std::int64_t millis);

}  // namespace segue::cli
