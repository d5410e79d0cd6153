#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "gateway/http1/characters.hpp"
#include "gateway/http1/head_parser.hpp"

namespace segue::gateway::http1 {

// Calls `use` with each member of a comma-separated list (RFC 9110, 5.6.1), blanks removed, empty
// members included. No quoted commas: none of the lists read here may contain one.
template <class Use>
void for_each_member(std::string_view list, Use&& use) {
  for (;;) {
    const std::size_t comma = list.find(',');
    use(trim_blanks(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

// Digits only, at most 19 of them, below 2^63; nullopt otherwise.
std::optional<std::uint64_t> parse_length(std::string_view text) noexcept;

// Digits only; larger numbers become the largest. nullopt when it is no number.
std::optional<std::uint32_t> parse_saturated(std::string_view text) noexcept;

// host [":" port] as a proxy can stand behind it: a registered name without escapes or an IPv6
// literal in brackets, then digits up to 65535 or nothing after the colon. Not empty.
bool is_authority(std::string_view text) noexcept;

// Checks one field line and appends it to the head. Returns the reason label when it is damaged.
const char* append_field(std::string_view line, MessageHead& head) noexcept;

// Reads the Connection fields and the version into keep_alive, nominated and upgrade.
// `limit`: members in all of them, for each is compared with each field when it is forwarded.
const char* read_connection(MessageHead& head, std::size_t limit) noexcept;

// How often the framing fields came, and what they say when each came once.
struct FramingFields {
  std::uint32_t lengths = 0;
  std::uint32_t encodings = 0;
  bool length_valid = true;  // each is a number below 2^63
  bool lengths_differ = false;
  std::uint64_t length = 0;
  bool exactly_chunked = false;  // one Transfer-Encoding, and it is `chunked`
  bool coding_unknown = false;   // valid codings of which at least one is not ours to undo
};
FramingFields read_framing_fields(const MessageHead& head) noexcept;

// After the buffer moved: views into the `size` bytes that were at `from` become views into the
// same bytes at `to`; other views stay.
void rebase(std::string_view& view, const char* from, std::size_t size, const char* to) noexcept;
void rebase(MessageHead& head, const char* from, std::size_t size, const char* to) noexcept;

// Whether a Connection field names it, in any case.
bool is_named_by_connection(const MessageHead& head, std::string_view name) noexcept;

// Whether Connection nominates an Upgrade field, and all of these together name one protocol:
// websocket (RFC 6455, 4.2.1). A choice of several is none.
bool upgrades_to_websocket(const MessageHead& head) noexcept;

// A field of that name (in any case) is what a proxy before us may vouch for: a client must not make
// it disappear, nor slip one in.
bool is_vouched(std::string_view name) noexcept;

// Forgets all but the capacity.
void clear(MessageHead& head) noexcept;

}  // namespace segue::gateway::http1
