#include "warehouse/sql/without_bodies.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <array>
#include <cstdint>
#include <span>

#include "recorder/exchange.pb.h"
#include "recorder/wire_reading.hpp"

namespace segue::warehouse {
namespace {

using google::protobuf::io::CodedOutputStream;
using recorder::wire::WireField;
using recorder::wire::WireFormatLite;

void put_varint(std::string& into, std::size_t value) {
  std::array<std::uint8_t, 5> octets;
  std::uint8_t* const end =
      CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(value), octets.data());
  into.append(octets.data(), end);
}

bool leads_to_body(std::size_t level, int number) {
  if (level == 0)
    return number == v1::Exchange::kRequestFieldNumber ||
           number == v1::Exchange::kResponseFieldNumber;
  static_assert(+v1::Request::kBodyFieldNumber == +v1::Response::kBodyFieldNumber);
  return number == v1::Request::kBodyFieldNumber;
}

// Writes `message` into levels.front(), without what is to go. `level` as in `levels_`. False: it is
// no protobuf.
bool copy(std::string_view message, std::size_t level, std::span<std::string> levels) {
  std::string& into = levels.front();
  into.clear();
  bool whole = true;
  whole &= recorder::wire::walk_all(message, [&](const WireField& field) {
    const bool delimited = field.type() == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    if (levels.size() == 1) {
      if (!delimited || field.number() != v1::Body::kContentFieldNumber) into += field.whole;
    } else if (delimited && leads_to_body(level, field.number())) {
      whole &= copy(field.bytes, level + 1, levels.subspan(1));
      put_varint(into, field.tag);
      put_varint(into, levels[1].size());
      into += levels[1];
    } else {
      into += field.whole;
    }
  });
  return whole;
}

}  // namespace

std::string_view WithoutBodies::operator()(std::string_view payload) {
  return copy(payload, 0, levels_) ? std::string_view(levels_[0]) : payload;
}

}  // namespace segue::warehouse
