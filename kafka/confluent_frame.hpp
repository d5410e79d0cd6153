#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue::kafka {

// Confluent's wire format: byte 0, the schema's id as 4 bytes big-endian; for Protobuf then the
// path of the message within its schema (a count and so many indexes, zigzag varints; [0] is the
// single byte 0), then the message.
// https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/
struct ConfluentFrame {
  static constexpr std::size_t kMaxDepth = 16;  // messages nested deeper are refused

  std::uint32_t schema_id = 0;
  std::array<std::uint32_t, kMaxDepth> path{};
  std::size_t depth = 0;     // of `path`; at least 1
  std::string_view payload;  // within the value that was decoded

  // Whether the payload is the first message of its schema.
  bool is_first_message() const noexcept { return depth == 1 && path[0] == 0; }
};

// Bytes before the payload, for the first message of a schema.
inline constexpr std::size_t kConfluentHeaderBytes = 6;

// Appends the header for the first message of a schema.
inline void append_confluent_header(std::string& out, std::uint32_t schema_id) {
  out += '\0';
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(schema_id >> shift & 0xff);
  out += '\0';
}

// A value that begins with 0 is framed: no Protobuf message does, for there is no field 0.
inline bool looks_framed(std::string_view value) noexcept { return value.starts_with('\0'); }

namespace confluent_detail {

// Takes one zigzag varint of 32 bits off the front; nullopt: cut short, too long or negative.
inline std::optional<std::uint32_t> take_index(std::string_view& bytes) noexcept {
  constexpr std::uint64_t kMost = 0xffff'ffff;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) != 0) continue;
    if (value > kMost || (value & 1) != 0) return std::nullopt;  // odd: negative
    return static_cast<std::uint32_t>(value >> 1);
  }
  return std::nullopt;
}

}  // namespace confluent_detail

// nullopt: not a frame of a Protobuf message. Never throws and never reads past the value.
inline std::optional<ConfluentFrame> decode_confluent_frame(std::string_view value) noexcept {
  constexpr std::size_t kIdEnd = 5;
  if (value.size() < kConfluentHeaderBytes || !looks_framed(value)) return std::nullopt;
  ConfluentFrame frame;
  for (std::size_t at = 1; at < kIdEnd; ++at)
    frame.schema_id = frame.schema_id << 8 | static_cast<unsigned char>(value[at]);
  value.remove_prefix(kIdEnd);
  const auto depth = confluent_detail::take_index(value);
  if (!depth || *depth > ConfluentFrame::kMaxDepth) return std::nullopt;
  frame.depth = *depth == 0 ? 1 : *depth;  // 0: short for [0]
  for (std::size_t at = 0; at < *depth; ++at) {
    const auto index = confluent_detail::take_index(value);
    if (!index) return std::nullopt;
    frame.path[at] = *index;
  }
  frame.payload = value;
  return frame;
}

}  // namespace segue::kafka
