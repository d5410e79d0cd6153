#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace segue::recorder {

// The few fields of an exchange that its Kafka record needs, as views into the payload; what is
// absent or has the wrong length is empty or 0.
struct RecordFields {
  std::string_view id;         // 16 raw bytes
  std::string_view parent_id;  // 16 raw bytes
  std::string_view account_id;
  std::string_view route;
  std::string_view trace_id;    // 16 raw bytes
  std::string_view span_id;     // 8 raw bytes
  std::int64_t created_at = 0;  // microseconds since the Unix epoch
  std::uint32_t kind = 0;       // segue.v1.Kind
  std::uint32_t status = 0;     // of the response
  std::uint32_t trace_flags = 0;
};

// Walks the payload without parsing it whole: the cost does not grow with its bodies. Of a payload
// that is no exchange it returns what was found before the fault.
RecordFields read_fields(std::string_view payload) noexcept;

// The record's key: the account id as it is on record; without one the exchange's id as text
// (36 characters, so that every tool can show it); of a FINISH, which has no account, the id of
// the exchange it belongs to. Valid as long as the payload and `text`, which may hold it.
std::string_view key_of(const RecordFields& fields, std::string& text);
bool is_finish(const RecordFields& fields) noexcept;
// Whether it is anything but the client's own exchange: for the topic of shadows.
bool is_shadow_kind(const RecordFields& fields) noexcept;

struct DestroyHeaders {
  void operator()(rd_kafka_headers_t* headers) const noexcept { rd_kafka_headers_destroy(headers); }
};
using Headers = std::unique_ptr<rd_kafka_headers_t, DestroyHeaders>;

// Whether a record may be in the topic already.
enum class Redelivery : std::uint8_t { no, possible };

// segue-id, segue-kind (as in the schema, without KIND_), segue-route and segue-status where there
// is one, content-type, traceparent where the exchange was traced, segue-redelivery: 1.
Headers make_headers(const RecordFields& fields, Redelivery redelivery);

// At most how many bytes a record takes in a batch of its own, beyond its value: the batch's
// header, the record's, key and headers.
std::size_t overhead_of(const RecordFields& fields, std::size_t key_bytes) noexcept;

}  // namespace segue::recorder
