#include "routing/location.hpp"

#include <fmt/format.h>

#include <iterator>

#include "routing/escapes.hpp"

namespace segue::routing {
namespace {

// Reserved and unreserved characters, and the sign of an escape (RFC 3986, 2.2 and 2.3).
bool is_url_byte(char c) noexcept {
  return is_path_byte(c) || c == '?' || c == '[' || c == ']';
}

void append_url_bytes(std::string& url, std::string_view text) {
  for (const char c : text) {
    if (is_url_byte(c))
      url.push_back(c);
    else
      fmt::format_to(std::back_inserter(url), "%{:02X}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string_view without_port(std::string_view authority) noexcept {
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.ends_with(']')) return authority;
  return authority.substr(0, colon);
}

std::optional<std::string> location_of(const HeadView& head, const LocationParts& parts) {
  const std::string_view scheme = parts.scheme.empty() ? head.scheme : parts.scheme;
  const bool same_scheme = scheme == head.scheme;
  std::string_view host = parts.host;
  if (host.empty()) host = same_scheme ? head.authority : without_port(head.authority);
  std::string url;
  if (!host.empty()) {
    url = fmt::format("{}://{}", scheme, host);
  } else if (!same_scheme) {
    return std::nullopt;
  } else if (parts.target.starts_with("//")) {
    url = "/.";  // else what follows the slashes would be read as a host
  }
  append_url_bytes(url, parts.target);
  return url;
}

}  // namespace segue::routing
