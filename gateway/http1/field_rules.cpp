#include "gateway/http1/field_rules.hpp"

#include <algorithm>

#include "gateway/http1/characters.hpp"

namespace segue::gateway::http1 {
namespace {

// The registered transfer codings (RFC 9112, 7): known names, though only `chunked` is undone.
bool is_compression(std::string_view coding) noexcept {
  for (const char* known : {"gzip", "x-gzip", "deflate", "compress", "x-compress"})
    if (equals_ignoring_case(coding, known)) return true;
  return false;
}

bool is_port(std::string_view text) noexcept {
  if (text.size() > 5) return false;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port <= 65535;
}

// What all Transfer-Encoding fields say together.
struct Codings {
  std::uint32_t members = 0;
  std::uint32_t chunked = 0;
  bool malformed = false;  // an empty member, a parameter, not a token
  bool unknown = false;    // a token that no registry knows
  bool identity = false;
  bool last_is_chunked = false;

  void add(std::string_view coding) noexcept {
    ++members;
    last_is_chunked = equals_ignoring_case(coding, "chunked");
    if (last_is_chunked) {
      ++chunked;
    } else if (!is_token(coding)) {
      malformed = true;
    } else if (equals_ignoring_case(coding, "identity")) {
      identity = true;
    } else if (!is_compression(coding)) {
      unknown = true;
    }
  }
  // Well-formed and meaningful, but not something this gateway can undo.
  bool beyond_us() const noexcept {
    return !malformed && (unknown || (last_is_chunked && chunked == 1 && !identity && members > 1));
  }
};

void add_length(std::string_view value, FramingFields& found) noexcept {
  const std::optional<std::uint64_t> length = parse_length(value);
  if (!length) {
    found.length_valid = false;
  } else if (found.lengths == 0) {
    found.length = *length;
  } else if (*length != found.length) {
    found.lengths_differ = true;
  }
  ++found.lengths;
}

}  // namespace

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  constexpr std::size_t kDigits = 19;  // of 2^63 - 1
  if (text.empty() || text.size() > kDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value >> 63) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> parse_saturated(std::string_view text) noexcept {
  constexpr std::uint64_t kLargest = std::numeric_limits<std::uint32_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = std::min(value * 10 + static_cast<std::uint64_t>(c - '0'), kLargest);
  }
  return static_cast<std::uint32_t>(value);
}

bool is_authority(std::string_view text) noexcept {
  constexpr std::size_t kHostBytes = 255;  // of a domain name (RFC 1035, 2.3.4)
  std::size_t end = 0;
  if (text.starts_with('[')) {
    for (end = 1; end < text.size() && (classes_of(text[end]) & kAddress); ++end) {
    }
    const std::string_view address = text.substr(1, end - 1);
    if (end == text.size() || text[end] != ']') return false;
    if (address.find(':') == std::string_view::npos) return false;
    ++end;
  } else {
    while (end < text.size() && (classes_of(text[end]) & kHost)) ++end;
  }
  if (end == 0 || end > kHostBytes) return false;
  if (end == text.size()) return true;
  return text[end] == ':' && is_port(text.substr(end + 1));
}

const char* append_field(std::string_view line, MessageHead& head) noexcept {
  if (is_blank(line.front())) return "obs_fold";
  std::size_t colon = 0;
  while (colon < line.size() && is_token(line[colon])) ++colon;
  if (colon == line.size()) return "no_colon";
  if (line[colon] != ':') {
    if (!is_blank(line[colon])) return "bad_field_name";
    const std::size_t next = line.find_first_not_of(" \t", colon);
    return next != std::string_view::npos && line[next] == ':' ? "space_before_colon"
                                                               : "bad_field_name";
  }
  if (colon == 0) return "empty_field_name";
  const std::string_view name = line.substr(0, colon);
  head.fields.push_back({name, trim_blanks(line.substr(colon + 1))});
  const KnownField known = classify(name);
  head.known.push_back(known);
  head.seen |= std::uint64_t{1} << static_cast<unsigned>(known);
  return nullptr;
}

const char* read_connection(MessageHead& head, std::size_t limit) noexcept {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  std::size_t members = 0;
  const std::size_t count = head.has(KnownField::connection) ? head.known.size() : 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (head.known[i] != KnownField::connection) continue;
    for_each_member(head.fields[i].value, [&](std::string_view member) {
      ++members;
      if (member.empty()) return;
      if (equals_ignoring_case(member, "keep-alive")) {
        keep_alive = true;
      } else if (equals_ignoring_case(member, "close")) {
        close = true;
      } else if (equals_ignoring_case(member, "upgrade")) {
        upgrade = true;
      } else {
        head.nominated = true;
      }
    });
  }
  head.keep_alive = !close && (head.version_minor > 0 || keep_alive);
  head.upgrade = upgrade && head.has(KnownField::upgrade);
  return members > limit ? "connection_too_long" : nullptr;
}

FramingFields read_framing_fields(const MessageHead& head) noexcept {
  FramingFields found;
  Codings codings;
  for (std::size_t i = 0; i < head.known.size(); ++i) {
    if (head.known[i] == KnownField::content_length) add_length(head.fields[i].value, found);
    if (head.known[i] != KnownField::transfer_encoding) continue;
    ++found.encodings;
    for_each_member(head.fields[i].value, [&](std::string_view coding) { codings.add(coding); });
  }
  found.exactly_chunked = codings.members == 1 && codings.chunked == 1;
  found.coding_unknown = codings.beyond_us();
  return found;
}

void rebase(std::string_view& view, const char* from, std::size_t size, const char* to) noexcept {
  // The old bytes may be gone: only their addresses are compared.
  const auto old_begin = reinterpret_cast<std::uintptr_t>(from);
  const auto begin = reinterpret_cast<std::uintptr_t>(view.data());
  if (view.data() == nullptr || begin < old_begin || begin >= old_begin + size) return;
  view = {to + (begin - old_begin), view.size()};
}

void rebase(MessageHead& head, const char* from, std::size_t size, const char* to) noexcept {
  for (Field& field : head.fields) {
    rebase(field.name, from, size, to);
    rebase(field.value, from, size, to);
  }
}

bool is_named_by_connection(const MessageHead& head, std::string_view name) noexcept {
  bool named = false;
  for (std::size_t i = 0; i < head.fields.size() && !named; ++i) {
    if (head.known[i] != KnownField::connection) continue;
    for_each_member(head.fields[i].value, [&](std::string_view member) {
      named = named || equals_ignoring_case(member, name);
    });
  }
  return named;
}

bool upgrades_to_websocket(const MessageHead& head) noexcept {
  if (!head.upgrade || head.version_minor == 0) return false;
  std::size_t protocols = 0;
  bool websocket = false;
  for (std::size_t i = 0; i < head.fields.size(); ++i) {
    if (head.known[i] != KnownField::upgrade) continue;
    for_each_member(head.fields[i].value, [&](std::string_view protocol) {
      ++protocols;
      websocket = equals_ignoring_case(protocol, "websocket");
    });
  }
  return protocols == 1 && websocket;
}

bool is_vouched(std::string_view name) noexcept {
  for (const std::string_view prefix : {"x-forwarded-", "x-real-ip", "x-auth-", "remote-user"})
    if (equals_ignoring_case(name.substr(0, prefix.size()), prefix)) return true;
  return false;
}

void clear(MessageHead& head) noexcept {
  head.fields.clear();
  head.known.clear();
  head.seen = 0;
  head.field_lines = {};
  head.version_minor = 1;
  head.framing = Framing::none;
  head.content_length = 0;
  head.keep_alive = true;
  head.nominated = false;
  head.upgrade = false;
  head.bytes = 0;
}

}  // namespace segue::gateway::http1
