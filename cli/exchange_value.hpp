#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "recorder/exchange.pb.h"

namespace segue::cli {

// How the value of a record holds its exchange.
enum class ValueForm : std::uint8_t { plain, framed };

struct DecodedValue {
  ValueForm form = ValueForm::plain;
  std::uint32_t schema_id = 0;  // framed
};

// Reads an exchange from a record's value, plain protobuf or in Confluent's frame. nullopt: it is
// something else; `exchange` is then in no particular state.
std::optional<DecodedValue> decode_exchange(std::string_view value, v1::Exchange& exchange);

}  // namespace segue::cli
