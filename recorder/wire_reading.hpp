#pragma once

// Reading a few fields of a protobuf message where they lie, without a message of its own.

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <cstdint>
#include <string_view>

namespace segue::recorder::wire {

// Calls on_field(number, value, bytes) for every field of a message: `value` of varints, `bytes` of
// what has a length. Stops at the first fault: false.
template <class OnField>
bool walk(std::string_view message, OnField on_field) {
  using google::protobuf::internal::WireFormatLite;
  google::protobuf::io::CodedInputStream in(
      reinterpret_cast<const std::uint8_t*>(message.data()), static_cast<int>(message.size()));
  while (const std::uint32_t tag = in.ReadTag()) {
    const int number = WireFormatLite::GetTagFieldNumber(tag);
    std::uint64_t value = 0;
    std::uint32_t length = 0;
    switch (WireFormatLite::GetTagWireType(tag)) {
      case WireFormatLite::WIRETYPE_VARINT:
        if (!in.ReadVarint64(&value)) return false;
        on_field(number, value, std::string_view{});
        break;
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED: {
        if (!in.ReadVarint32(&length)) return false;
        const auto at = static_cast<std::size_t>(in.CurrentPosition());
        if (length > message.size() - at) return false;
        on_field(number, value, message.substr(at, length));
        if (!in.Skip(static_cast<int>(length))) return false;
        break;
      }
      default:
        if (!WireFormatLite::SkipField(&in, tag)) return false;
    }
  }
  return in.ConsumedEntireMessage();
}

}  // namespace segue::recorder::wire
