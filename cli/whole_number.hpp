#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <string>
#include <system_error>

namespace segue::cli {

// Checks that what an option is given is a whole number, `least` or more.
inline CLI::Validator whole_number(std::uint64_t least) {
  const auto check = [least](const std::string& text) {
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && at == end && value >= least) return std::string();
    return "write a whole number, " + std::to_string(least) + " or more, not " + text;
  };
  return CLI::Validator(check, "");
}

}  // namespace segue::cli
