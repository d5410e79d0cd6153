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

constexpr std::size_t kKept = 4096;  // bytes of memory that one body's trailers leave to the next

void clear_most(std::string& text) noexcept {
  if (text.capacity() > kKept) text = {};
  text.clear();
}

}  // namespace

bool may_be_trailer(std::string_view name) noexcept {
  if (!is_token(name) || classify(name) != KnownField::other || is_vouched(name)) return false;
  const auto is = [name](std::string_view lower) { return equals_ignoring_case(name, lower); };
  const auto begins = [name](std::string_view lower) {
    return equals_ignoring_case(name.substr(0, lower.size()), lower);
  };
  return std::ranges::none_of(kForbidden, is) && std::ranges::none_of(kForbiddenBeginnings, begins);
}

bool passes_as_trailer(std::string_view name, const TrailerNames& allowed,
                       const MessageHead& head) noexcept {
  const auto is = [name](const std::string& other) { return equals_ignoring_case(name, other); };
  return std::ranges::any_of(allowed, is) && may_be_trailer(name) &&
         !is_named_by_connection(head, name);
}

bool takes_trailers(const RequestHead& head) noexcept {
  if (head.version_minor == 0 || !head.has(KnownField::te)) return false;
  bool takes = false;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    if (head.known[i] != KnownField::te) continue;
    for_each_member(head.fields[i].value, [&](std::string_view member) {
      takes = takes || equals_ignoring_case(member, "trailers");
    });
  }
  return takes;
}

void Trailers::clear() noexcept {
  clear_most(came_);
  clear_most(lines_);
  fields_.clear();
}

void Trailers::choose(const TrailerNames& allowed, const MessageHead& head) {
  constexpr std::size_t kAdded = 1;             // a blank behind the colon
  constexpr std::size_t kShortest = sizeof "a:\r\n" - 1;
  // The views into it must stay.
  lines_.reserve(came_.size() + came_.size() / kShortest * kAdded);
  for (std::string_view rest = came_; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (!passes_as_trailer(name, allowed, head)) continue;
    const std::string_view value = trim_blanks(line.substr(colon + 1));
    const std::size_t at = lines_.size();
    lines_.append(name).append(": ").append(value).append("\r\n");
    const std::string_view sent = lines_;
    fields_.push_back({sent.substr(at, name.size()),
                       sent.substr(at + name.size() + 2, value.size())});
  }
}

}  // namespace segue::gateway::http1
