#include "warehouse/sql/without_bodies.hpp"

#include <cstdint>
#include <optional>
#include <span>

#include "recorder/exchange.pb.h"

namespace segue::warehouse {
namespace {

// The wire format, protobuf.dev/programming-guides/encoding.
constexpr std::uint32_t kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5;

// Reads an integer at the start of `from`, and takes it away. nullopt: there is none.
std::optional<std::uint64_t> take_varint(std::string_view& from) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto octet = static_cast<unsigned char>(from[i]);
    value |= static_cast<std::uint64_t>(octet & 0x7FU) << (7 * i);
    if ((octet & 0x80U) != 0) continue;
    from.remove_prefix(i + 1);
    return value;
  }
  return std::nullopt;
}

void put_varint(std::string& into, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) into += static_cast<char>(value | 0x80U);
  into += static_cast<char>(value);
}

// One field: `whole` with its tag, `content` of one that has a length.
struct WireField {
  std::uint64_t tag = 0;
  std::string_view whole;
  std::string_view content;
};

std::optional<WireField> take_field(std::string_view& from) {
  const std::string_view begin = from;
  const auto tag = take_varint(from);
  if (!tag) return std::nullopt;
  WireField field{*tag, {}, {}};
  std::uint64_t skipped = 0;
  switch (*tag & 7U) {
    case kVarint:
      if (!take_varint(from)) return std::nullopt;
      break;
    case kFixed64:
      skipped = 8;
      break;
    case kFixed32:
      skipped = 4;
      break;
    case kDelimited: {
      const auto length = take_varint(from);
      if (!length) return std::nullopt;
      skipped = *length;
      field.content = from.substr(0, skipped);
      break;
    }
    default:
      return std::nullopt;
  }
  if (skipped > from.size()) return std::nullopt;
  from.remove_prefix(skipped);
  field.whole = begin.substr(0, begin.size() - from.size());
  return field;
}

enum class Written : bool { no, yes };

bool leads_to_body(std::size_t level, std::uint64_t number) {
  if (level == 0)
    return number == v1::Exchange::kRequestFieldNumber ||
           number == v1::Exchange::kResponseFieldNumber;
  static_assert(+v1::Request::kBodyFieldNumber == +v1::Response::kBodyFieldNumber);
  return number == v1::Request::kBodyFieldNumber;
}

// Writes `message` into levels.front(), without what is to go. `level` as in `levels_`.
Written copy(std::string_view message, std::size_t level, std::span<std::string> levels) {
  std::string& into = levels.front();
  into.clear();
  while (!message.empty()) {
    const auto field = take_field(message);
    if (!field) return Written::no;
    const std::uint64_t number = field->tag >> 3U;
    const bool delimited = (field->tag & 7U) == kDelimited;
    if (levels.size() == 1) {
      if (!delimited || number != v1::Body::kContentFieldNumber) into += field->whole;
    } else if (delimited && leads_to_body(level, number)) {
      if (copy(field->content, level + 1, levels.subspan(1)) == Written::no) return Written::no;
      put_varint(into, field->tag);
      put_varint(into, levels[1].size());
      into += levels[1];
    } else {
      into += field->whole;
    }
  }
  return Written::yes;
}

}  // namespace

std::string_view WithoutBodies::operator()(std::string_view payload) {
  return copy(payload, 0, levels_) == Written::yes ? std::string_view(levels_[0]) : payload;
}

}  // namespace segue::warehouse
