#pragma once

// Reading a few fields of a protobuf message where they lie, without a message of its own.

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace segue::recorder::wire {

using google::protobuf::internal::WireFormatLite;

struct WireField {
  std::uint32_t tag = 0;
  std::string_view whole;   // with its tag
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;   // of what has a length

  int number() const noexcept { return WireFormatLite::GetTagFieldNumber(tag); }
  WireFormatLite::WireType type() const noexcept { return WireFormatLite::GetTagWireType(tag); }
};

// Calls on_field(const WireField&) for every field of a message, in their order. It is as strict as
// protobuf's own parser about tags, lengths and groups. Stops at the first fault: false.
template <class OnField>
bool walk_all(std::string_view message, OnField on_field) {
  google::protobuf::io::CodedInputStream in(
      reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
  const auto at = [&] { return static_cast<std::size_t>(in.CurrentPosition()); };
  for (std::size_t begin = 0; const std::uint32_t tag = in.ReadTag(); begin = at()) {
    WireField field;
    field.tag = tag;
    switch (field.type()) {
      case WireFormatLite::WIRETYPE_VARINT:
        if (!in.ReadVarint64(&field.value)) return false;
        break;
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
        std::uint32_t length = 0;
        if (!in.ReadVarint32(&length) || length > message.size() - at()) return false;
        field.bytes = message.substr(at(), length);
        if (!in.Skip(static_cast<int>(length))) return false;
        break;
      }
      default:
        if (!WireFormatLite::SkipField(&in, tag)) return false;
    }
    field.whole = message.substr(begin, at() - begin);
    on_field(std::as_const(field));
  }
  return in.ConsumedEntireMessage();
}

// Calls on_field(number, value, bytes) for every field that is a varint or has a length.
template <class OnField>
bool walk(std::string_view message, OnField on_field) {
  return walk_all(message, [&](const WireField& field) {
    if (field.type() == WireFormatLite::WIRETYPE_VARINT ||
        field.type() == WireFormatLite::WIRETYPE_LENGTH_DELIMITED)
      on_field(field.number(), field.value, field.bytes);
  });
}

}  // namespace segue::recorder::wire
