#pragma once

#include <cstdint>
#include <string_view>

namespace segue::compare {

// Numbers of JSON as they are written, of any length. Equal by value, exactly, whatever the
// notation: 1, 1.0, 1e0 and 10E-1 are one number, and so are 0 and -0; 9007199254740993 and
// 9007199254740992 are two. Exponents beyond 18 digits are compared as they are written.
bool same_number(std::string_view a, std::string_view b) noexcept;

// Equal for equal numbers.
std::uint64_t hash_of_number(std::string_view number) noexcept;

// Whether they differ by no more than `tolerance`, in 64 bits of precision.
bool within(std::string_view a, std::string_view b, double tolerance) noexcept;

}  // namespace segue::compare
