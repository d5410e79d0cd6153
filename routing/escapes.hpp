#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace segue::routing {

// What may stand in a path on the wire, an escape's sign included (RFC 3986, 3.3).
bool is_path_byte(char c) noexcept;

// The byte that "%XX" at `at` stands for; nullopt when it is no whole escape (RFC 3986, 2.1).
std::optional<char> escape_at(std::string_view text, std::size_t at) noexcept;

// False when a '%' is not followed by two hexadecimal digits.
bool has_whole_escapes(std::string_view text) noexcept;

// "%00" anywhere: refused, for a C string of a backend would end there.
bool has_escaped_nul(std::string_view text) noexcept;

// Appends `raw` with its escapes undone; a broken escape stays as it is. Never appends more bytes
// than `raw` has.
void append_decoded(std::string& out, std::string_view raw);

// `raw` with its escapes undone.
std::string decoded(std::string_view raw);

// The value of the first `name` in a query ("a=1&b=2"), both percent-decoded, '+' a space;
// nullopt when the name is absent. The view points into `query`, or into `storage` when it had to
// be decoded; `storage` is overwritten.
std::optional<std::string_view> find_query_value(std::string_view query, std::string_view name,
                                                 std::string& storage);

// A target in origin form, cut at its first '?'.
struct TargetParts {
  std::string_view path;
  std::string_view query;       // without the '?'
  std::string_view with_query;  // with the '?'; empty when there is none
};
TargetParts split_target(std::string_view target) noexcept;

// "https://shop.example/x?y" as people write a request; without a scheme all of it is the target.
struct AbsoluteParts {
  std::string_view scheme;     // empty: there is none
  std::string_view authority;
  std::string_view target;     // "/" where the URL has no path
};
AbsoluteParts split_absolute(std::string_view url) noexcept;

}  // namespace segue::routing
