#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "exchange/head.hpp"
#include "exchange/id.hpp"

namespace segue {

// The numbers of these enumerations are those of recorder/exchange.proto.
enum class Kind : std::uint8_t { primary = 1, shadow, control, replay, probe, finish };

enum class Outcome : std::uint8_t {
  completed = 1,
  client_aborted,
  upstream_connect_failed,
  upstream_reset,
  upstream_timeout,
  refused,      // by the gateway, with a reason
  interrupted,  // the gateway died in its middle: found by recovery from the intent
};

enum class Capture : std::uint8_t { absent = 1, complete, truncated, skipped };

// What is on record of one body. `blocks` in order are the captured bytes, after transfer
// decoding; `size` is the true size in bytes, captured or not.
struct BodyView {
  std::span<const std::string_view> blocks;
  std::uint64_t size = 0;
  Capture capture = Capture::absent;
  std::string_view reason;  // why skipped or truncated: "journal", "capture_memory", "bodies.max"
  std::string_view sha256{};  // 32 octets, of all `size` bytes; empty: none was made, or may be told
};

struct RequestView {
  HeadView head;
  std::uint8_t version_minor = 1;  // HTTP/1.x
  std::span<const Field> trailers;
  BodyView body;
};

struct ResponseView {
  std::uint16_t status = 0;  // 0: no response came
  std::uint8_t version_minor = 1;
  std::string_view reason;
  std::span<const std::uint16_t> interim;  // 1xx statuses seen before the final one
  std::span<const Field> fields;
  std::span<const Field> trailers;
  BodyView body;
};

// Microseconds since `created_at`; kNever where it did not happen.
struct Timing {
  static constexpr std::int64_t kNever = -1;
  std::int64_t connect = kNever;       // connection to the backend ready; 0 on a reused one
  std::int64_t tls = kNever;           // TLS handshake with the backend done
  std::int64_t request_sent = kNever;  // last byte of the request handed to the backend's socket
  std::int64_t first_byte = kNever;    // first byte of the final response head
  std::int64_t last_byte = kNever;     // last byte of the response read from the backend
};

// One try to send the exchange to an endpoint; `error` is empty for the one that answered.
struct Attempt {
  std::string_view endpoint;
  std::string_view error;
  std::int64_t at = 0;  // microseconds since created_at
};

struct Parameter {
  std::string_view name;
  std::string_view value;  // percent-decoded
};

// How and where the exchange was routed. Empty when it was refused before routing.
struct DecisionView {
  std::string_view route;
  std::string_view path_template;  // "/searches/{id}", as in the metric label http_route
  std::span<const Parameter> parameters;
  std::string_view backend;       // that served, or was tried last
  std::string_view fallback_from;  // the chosen one, where `backend` is its fallback; else empty
  std::string_view endpoint;      // "10.0.0.1:80"
  std::string_view role;          // "legacy", "new", or the backend's name
  std::int32_t bucket = -1;       // sticky bucket 0..9999; -1: the route has no split
  std::span<const Field> inputs;  // the values of headers that any matcher of the table reads
  std::string_view shadow;        // "sent" or why not; empty: the route has no shadow
};

struct ClientView {
  std::string_view address;        // "192.0.2.1:4711"
  std::string_view forwarded_for;  // only from a trusted proxy
  std::string_view tls_version;    // empty: plain text
  std::string_view server_name;    // SNI
  std::string_view alpn;
};

// One exchange as the gateway holds it when its last byte is ready to go: views into the
// session's buffers, copied once, by the recorder. Nothing here owns memory.
struct ExchangeView {
  ExchangeId id;
  std::int64_t created_at = 0;  // microseconds since the Unix epoch: head fully received
  Kind kind = Kind::primary;
  ExchangeId parent_id;  // empty for a PRIMARY
  Outcome outcome = Outcome::completed;
  std::string_view refusal;  // reason, with Outcome::refused
  DecisionView decision;
  std::string_view account_id;
  ClientView client;
  RequestView request;
  ResponseView response;
  Timing timing;
  std::span<const Attempt> attempts;
};

// How the client took an exchange, when that became known only after the exchange was recorded.
struct FinishView {
  ExchangeId id;  // of the FINISH record itself
  ExchangeId exchange_id;
  std::int64_t at = 0;  // microseconds since the Unix epoch
  Outcome outcome = Outcome::client_aborted;
  std::uint64_t bytes_from_client = 0;
  std::uint64_t bytes_to_client = 0;
};

}  // namespace segue
