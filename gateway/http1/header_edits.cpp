#include "gateway/http1/header_edits.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace segue::gateway::http1 {
namespace {

constexpr std::string_view kStrictTransport = "strict-transport-security";

char folded(char c) noexcept {
  if (c == '_') return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// As the gateway knows the name, whichever way it is spelt.
KnownField classify_folded(std::string_view name) noexcept {
  std::array<char, 32> dashed;  // longer than every known name
  if (name.size() > dashed.size()) name = name.substr(0, dashed.size());
  std::transform(name.begin(), name.end(), dashed.begin(), folded);
  return classify({dashed.data(), name.size()});
}

std::uint64_t length_bit(std::string_view name) noexcept {
  return std::uint64_t{1} << std::min<std::size_t>(name.size(), 63);
}

}  // namespace

bool is_same_name(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return folded(a) == folded(b); });
}

bool is_for_https_only(std::string_view name) noexcept {
  return is_same_name(name, kStrictTransport);
}

std::string_view why_not_edited(std::string_view name, HeadKind kind, HeaderEdit edit) noexcept {
  using enum KnownField;
  const bool request = kind == HeadKind::request;
  const bool sets = edit == HeaderEdit::set;
  switch (classify_folded(name)) {
    case connection:
    case keep_alive:
    case proxy_connection:
    case te:
    case transfer_encoding:
    case trailer:
    case proxy_authenticate:
    case proxy_authorization:
    case http2_settings:
    case content_length:
      return "it belongs to one connection or frames the message, and the gateway writes it";
    case upgrade:
      return "a route lets clients switch protocols with `upgrade`";
    case host:
      return "what a backend is sent is the backend's `host`";
    case segue:
      return "names that begin with Segue- are the gateway's own";
    case expect:
    case max_forwards:
      return "the gateway acts on it";
    case date:
      return "it says when the message was made";
    case via:
      if (sets || request) return "the gateway says there that it forwarded the message";
      return {};
    case forwarded:
    case x_forwarded_for:
    case x_forwarded_proto:
    case x_forwarded_host:
      if (sets && request) return "the gateway says there who the client is";
      return {};
    default:
      return {};
  }
}

HeaderEdits::HeaderEdits(const Fields& set, std::span<const std::string> remove)
    : dropped_(remove.begin(), remove.end()) {
  for (const std::string& name : remove)
    silenced_ |= std::uint64_t{1} << static_cast<unsigned>(classify_folded(name));
  const auto is_strict = [](const auto& field) { return is_for_https_only(field.first); };
  // Not std::stable_partition: clang finds a deprecated function in libstdc++'s.
  std::ranges::remove_copy_if(set, std::back_inserter(texts_), is_strict);
  plain_ = texts_.size();
  std::ranges::copy_if(set, std::back_inserter(texts_), is_strict);
  for (const auto& [name, value] : texts_) {
    if (set_.size() == plain_) plain_lines_ = lines_;
    dropped_.push_back(name);
    set_.push_back({name, value});
    lines_.append(name).append(": ").append(value).append("\r\n");
  }
  if (set_.size() == plain_) plain_lines_ = lines_;
  for (const std::string& name : dropped_) lengths_ |= length_bit(name);
}

bool HeaderEdits::drops(std::string_view name) const noexcept {
  if ((lengths_ & length_bit(name)) == 0) return false;
  return std::any_of(dropped_.begin(), dropped_.end(),
                     [name](const std::string& dropped) { return is_same_name(dropped, name); });
}

std::span<const Field> HeaderEdits::set(std::string_view scheme) const noexcept {
  return std::span(set_).first(scheme == "https" ? set_.size() : plain_);
}

}  // namespace segue::gateway::http1
