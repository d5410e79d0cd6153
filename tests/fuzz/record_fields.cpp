// Any bytes as a record: those who read a few of its fields where they lie stay within it, and say
// of an exchange what protobuf says.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "compare/record_reading.hpp"
#include "exchange/ensure.hpp"
#include "exchange/id.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/open_intents.hpp"
#include "recorder/publisher/record.hpp"

namespace {

using namespace segue;

void within(std::string_view part, std::string_view whole) {
  const bool inside = part.empty() || (part.data() >= whole.data() &&
                                       part.data() + part.size() <= whole.data() + whole.size());
  ensure(inside, "a field outside of its record");
}

std::string_view of_length(const std::string& text, std::size_t length) {
  return text.size() == length ? std::string_view(text) : std::string_view();
}

void agrees(const v1::Exchange& exchange, std::string_view record) {
  const auto fields = recorder::read_fields(record);
  ensure(fields.id == of_length(exchange.id(), 16), "another id");
  ensure(fields.account_id == exchange.account_id(), "another account");
  ensure(fields.created_at == exchange.created_at(), "another time");
  const auto head = compare::read_head(record);
  ensure(head.has_value(), "an exchange that is none");
  ensure(head->id == exchange.id() && head->parent_id == exchange.parent_id(), "another head");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string record(reinterpret_cast<const char*>(data), size);
  const auto fields = recorder::read_fields(record);
  for (const auto part : {fields.id, fields.parent_id, fields.account_id, fields.route,
                          fields.trace_id, fields.span_id})
    within(part, record);
  std::string text;
  ensure(recorder::key_of(fields, text).size() <= record.size() + 36, "a key out of nothing");
  static_cast<void>(recorder::make_headers(fields, recorder::Redelivery::possible));
  static_cast<void>(recorder::payload_id(record));
  if (const auto head = compare::read_head(record))
    for (const auto part : {head->id, head->parent_id, head->route, head->shadow})
      within(part, record);
  v1::Exchange partly;
  compare::parse_for_comparing(record, partly);
  v1::Exchange exchange;
  if (!exchange.ParseFromString(record)) return 0;
  // As a writer of this schema would have put it: a number with another type is not its field.
  exchange.DiscardUnknownFields();
  agrees(exchange, exchange.SerializeAsString());
  return 0;
}
