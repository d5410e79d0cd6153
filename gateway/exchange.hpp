#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.hpp"
#include "gateway/http1/forward.hpp"
#include "gateway/http1/head_parser.hpp"
#include "gateway/http1/trailers.hpp"
#include "gateway/shadow/shadow.hpp"
#include "gateway/worker.hpp"
#include "recorder/capture.hpp"
#include "recorder/recorder.hpp"
#include "routing/route_table.hpp"
#include "routing/scratch.hpp"

namespace segue::gateway {

// One request and its response on their way through the gateway, and what is known of them so
// far. Reused: begin() starts the next one and keeps the memory. Same thread as its worker.
class Exchange {
 public:
  explicit Exchange(Worker& worker);

  // Forgets the exchange before; nothing is received yet.
  void begin();
  // The head is complete: from here on times are counted.
  void head_received(std::int64_t unix_micros, runtime::MonotonicNs now);
  // Microseconds since head_received().
  std::int64_t elapsed_micros() const noexcept {
    return (runtime::monotonic_now() - started) / 1000;
  }

  // What goes on record; views into this object, its captures and the buffers of both sides.
  ExchangeView view(const ClientView& client);
  recorder::RouteIndex route_index() const noexcept {
    return decision.route == nullptr ? recorder::kUnrouted : decision.route->index;
  }
  bool unsafe() const noexcept { return !is_safe_method(request().method); }
  const http1::RequestHead& request() const noexcept { return request_parser.head(); }
  void attempt_failed(std::string_view endpoint, std::string error);
  // There is a shadow, and it is not to be sent.
  void skip_shadow(ShadowResult why) noexcept;

  Worker& worker;
  http1::RequestParser request_parser;
  http1::ResponseParser response_parser;
  routing::Scratch scratch;
  routing::Decision decision;
  recorder::BodyCapture request_body;
  recorder::BodyCapture response_body;
  recorder::IntentTicket ticket;
  http1::Gather out;          // head being sent, to either side
  std::vector<iovec> pieces;  // body being sent to the client
  http1::Trailers request_trailers;  // those that pass, from the end of the body on
  http1::Trailers response_trailers;

  ExchangeId id;
  std::int64_t created_at = 0;
  runtime::MonotonicNs started = 0;
  std::string_view scheme;  // how the client reached us or a trusted proxy before us; static text
  Outcome outcome = Outcome::completed;
  std::string_view refusal;  // static text
  Timing timing;
  ResponseView response;  // of the backend or our own; body and interim are filled by view()
  std::string endpoint;   // "10.0.0.1:80"; empty: none was reached
  std::string_view fallback_from;  // the backend in whose place its fallback is; empty: none
  std::string_view account;
  std::vector<std::uint16_t> interim;
  std::unique_ptr<Shadow> shadow;  // planned, while the exchange runs; null: there is none to send
  std::string_view shadow_note;    // what the record says of it, static text; empty: no shadow
  bool recorded = false;  // it is in the journal, not dropped or unwanted
  bool durable = true;    // no wait for its route's `durability` was in vain

 private:
  struct FailedAttempt {
    std::string endpoint;
    std::string error;
    std::int64_t at;
  };
  std::vector<FailedAttempt> failed_;
  std::vector<Attempt> attempts_;
  std::vector<Field> inputs_;
  std::string forwarded_;
};

}  // namespace segue::gateway
