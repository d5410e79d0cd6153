#pragma once

#include <string_view>

namespace segue::compare {

bool is_uuid(std::string_view text) noexcept;       // RFC 9562, section 4, in either case
bool is_timestamp(std::string_view text) noexcept;  // RFC 3339, 5.6; or HTTP-date, RFC 9110, 5.6.7

// Whether two texts look alike: there is a shape that both have, or neither has any. Shapes are
// empty text, UUID, date or timestamp (with or without zone), whole numbers, decimal numbers,
// hexadecimal (8 or more), tokens (16 or more of base64 or base64url with a digit among them), web
// addresses, e-mail addresses and hashes of redaction. "12345678" is a number and hexadecimal, so
// it is like "1234abcd"; "n/a" has no shape, so it is like "unknown" and unlike any UUID.
bool same_shape(std::string_view a, std::string_view b) noexcept;

// A name of a member that is rather a key of data: a UUID, a date, a number, 8 or more hexadecimal
// digits with a decimal one among them.
bool is_generated_name(std::string_view name) noexcept;

}  // namespace segue::compare
