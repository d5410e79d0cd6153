#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::recorder {

// One part of a multipart body (RFC 2046, 5.1.1; RFC 7578): views into it.
struct Part {
  std::string_view header;  // its lines, with the empty one behind them
  std::string_view content;
  std::vector<std::string> names;  // of Content-Disposition, as written and percent-decoded
  std::string content_type;
  bool is_coded = false;  // a transfer or content coding lies over the content
};

// Strict: parts between CRLF and boundary, nothing before the first and behind the last one.
// nullopt for anything else, for more than kMostParts, and for header fields that readers may
// understand differently (folded lines, two dispositions or types, name*).
std::optional<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary);
inline constexpr std::size_t kMostParts = 1'000;

}  // namespace segue::recorder
