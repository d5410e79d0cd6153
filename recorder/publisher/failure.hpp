#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>

namespace segue::recorder {

// What went wrong on the way to Kafka, in the kinds that PublisherStatus::errors counts.
enum class FailureKind : std::uint8_t {
  connect,
  authentication,
  authorization,
  unknown_topic,
  too_large,
  registry,
  schema,
  fatal,
  other,
};

// "connect", "unknown_topic": the key in PublisherStatus::errors.
const char* name(FailureKind kind) noexcept;

FailureKind kind_of(rd_kafka_resp_err_t error) noexcept;

// Whether librdkafka says this of a record only because something else failed before.
bool is_consequence(rd_kafka_resp_err_t error) noexcept;

// Why publishing stopped, and when to try again.
struct Failure {
  // now: the next attempt does it differently; soon: with the usual back-off; slowly: a person is
  // likely needed, and asking often does harm (accounts get locked); later: halted, looks again at
  // a fixed interval; never: halted until a restart.
  enum class Again : std::uint8_t { now, soon, slowly, later, never };

  FailureKind kind = FailureKind::other;
  std::string reason;  // one line for a person
  Again again = Again::soon;
};

}  // namespace segue::recorder
