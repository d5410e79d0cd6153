#include "warehouse/restore/restored_record.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "kafka/confluent_frame.hpp"
#include "recorder/publisher/cut.hpp"
#include "recorder/publisher/record.hpp"
#include "recorder/redaction/content_coding.hpp"
#include "runtime/clock.hpp"

namespace segue::warehouse {
namespace {

// Archives hold bodies with their codings undone, as far as that goes: what cannot be undone is as
// it came. Of a body that is on record whole, what is no coded content any more was decoded.
void say_undone(v1::Body& body) {
  const bool coded = recorder::has_coding(body.content_coding()) && !body.coding_undone();
  if (!coded || body.content().empty() || body.capture() != v1::CAPTURE_COMPLETE) return;
  std::string decoded;
  const std::array<std::string_view, 1> content{body.content()};
  if (recorder::undo_codings(body.content_coding(), content, decoded) ==
      recorder::Decoding::damaged)
    body.set_coding_undone(true);
}

void say_undone(v1::Exchange& exchange) {
  if (exchange.request().has_body()) say_undone(*exchange.mutable_request()->mutable_body());
  if (exchange.response().has_body()) say_undone(*exchange.mutable_response()->mutable_body());
}

void add_header(rd_kafka_headers_t& headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(&headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

}  // namespace

bool RestoredRecord::set_value(const std::string& payload, std::size_t overhead) {
  const std::size_t header = form_.schema_id ? kafka::kConfluentHeaderBytes : 0;
  const std::size_t beside = header + overhead;
  value_.clear();
  if (form_.schema_id) kafka::append_confluent_header(value_, *form_.schema_id);
  if (payload.size() + beside <= form_.max_bytes) {
    value_ += payload;
    return true;
  }
  if (form_.max_bytes <= beside) return false;
  const auto smaller = recorder::cut_to(payload, form_.max_bytes - beside);
  if (!smaller) return false;
  ++cut_;
  value_ += *smaller;
  return true;
}

std::optional<kafka::TopicWriter::Outgoing> RestoredRecord::make(RecordRow& row,
                                                                 const RestoredMark& mark,
                                                                 std::int32_t partition) {
  constexpr std::int64_t kMicrosPerMilli = 1'000;
  const std::string mark_text = text_of(mark);
  kafka::TopicWriter::Outgoing record{.partition = partition};
  if (!row.is_exchange) {
    record.headers.reset(rd_kafka_headers_new(1));
    record.value = row.octets;
    record.unix_millis = last_millis_;
    add_header(*record.headers, kRestoredHeader, mark_text);
    return record;
  }
  say_undone(row.exchange);
  row.exchange.SerializeToString(&payload_);
  const recorder::RecordFields fields = recorder::read_fields(payload_);
  const std::string_view key = recorder::key_of(fields, key_text_);
  const std::size_t overhead =
      recorder::overhead_of(fields, key.size()) + kRestoredHeader.size() + mark_text.size();
  if (!set_value(payload_, overhead)) return std::nullopt;
  using recorder::Redelivery;
  record.headers.reset(
      recorder::make_headers(fields, row.redelivered ? Redelivery::possible : Redelivery::no)
          .release());
  add_header(*record.headers, kRestoredHeader, mark_text);
  record.key = key;
  record.value = value_;
  last_millis_ = std::min(fields.created_at, runtime::unix_micros_now()) / kMicrosPerMilli;
  record.unix_millis = last_millis_;
  return record;
}

}  // namespace segue::warehouse
