#include "gateway/http1/trailers.hpp"

#include <algorithm>

#include "gateway/http1/field_rules.hpp"

namespace segue::gateway::http1 {
namespace {

// Beside the fields that the gateway itself knows: modifiers of the request, authentication,
// control of caches and of what follows, and what content is (RFC 9110, 6.5.1).
constexpr std::string_view kForbidden[] = {
    "accept-ranges",
    "age",
    "alt-svc",
    "authentication-info",
    "cache-control",
    "clear-site-data",
    "content-disposition",
    "content-language",
    "content-location",
    "content-range",
    "content-security-policy",
    "expires",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "location",
    "origin",
    "pragma",
    "proxy-authentication-info",
    "range",
    "referer",
    "refresh",
    "retry-after",
    "strict-transport-security",
    "vary",
    "warning",
    "www-authenticate",
};

constexpr std::string_view kForbiddenBeginnings[] = {"access-control-", "proxy-", "sec-"};

}  // namespace

bool may_be_trailer(std::string_view name) noexcept {
  if (!is_token(name) || classify(name) != KnownField::other || is_vouched(name)) return false;
  const auto is = [name](std::string_view lower) { return equals_ignoring_case(name, lower); };
  const auto begins = [name](std::string_view lower) {
    return equals_ignoring_case(name.substr(0, lower.size()), lower);
  };
  return std::ranges::none_of(kForbidden, is) && std::ranges::none_of(kForbiddenBeginnings, begins);
}

}  // namespace segue::gateway::http1
