#include "cli/exchange_value.hpp"

#include <limits>

#include "exchange/id.hpp"
#include "kafka/confluent_frame.hpp"

namespace segue::cli {

std::optional<DecodedValue> decode_exchange(std::string_view value, v1::Exchange& exchange) {
  DecodedValue decoded;
  if (kafka::looks_framed(value)) {
    const auto frame = kafka::decode_confluent_frame(value);
    if (!frame || !frame->is_first_message()) return std::nullopt;
    decoded = {ValueForm::framed, frame->schema_id};
    value = frame->payload;
  }
  if (value.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    return std::nullopt;
  if (!exchange.ParseFromArray(value.data(), static_cast<int>(value.size()))) return std::nullopt;
  // Protobuf reads a meaning into much that was never an exchange.
  const bool ours =
      exchange.id().size() == ExchangeId::kBytes && exchange.kind() != v1::KIND_UNSPECIFIED;
  return ours ? std::optional(decoded) : std::nullopt;
}

}  // namespace segue::cli
