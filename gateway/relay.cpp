#include "gateway/relay.hpp"

#include <boost/asio/error.hpp>

#include "exchange/ensure.hpp"
#include "gateway/http1/field_rules.hpp"

namespace segue::gateway {

using runtime::after;
using runtime::coarse_now;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

namespace {

// RFC 6455, 4.1: a GET in HTTP/1.1. A body would have to be told from what follows the handshake.
bool asks_for_websocket(const http1::RequestHead& head) noexcept {
  return head.method == "GET" && head.framing == http1::Framing::none &&
         http1::upgrades_to_websocket(head);
}

constexpr std::size_t kResponseBuffer = 64 << 10;         // what is read of a backend at once
constexpr std::size_t kMaxInterim = 32;                   // 1xx responses before a final one
constexpr std::chrono::milliseconds kClientProbe{1'000};  // a client that left is noticed in this

}  // namespace

void start_capture(recorder::BodyCapture& capture, const Exchange& exchange) {
  const recorder::RecordSettings& settings =
      exchange.worker.recorder->settings(exchange.route_index());
  if (settings.enabled && settings.bodies)
    capture.start(settings.body_max_bytes, settings.body_digest);
  else
    capture.start_skipping("settings");
}

Relay::Relay(Client& client, Exchange& exchange, Upload upload)
    : client_(client),
      exchange_(exchange),
      worker_(client.worker),
      traffic_(worker_.settings.route_traffic[exchange_.decision.route->index]),
      upload_plan_(upload),
      upgrade_(traffic_.websocket && asks_for_websocket(exchange_.request())) {
  take_timeouts();
  // Used up whatever becomes of the exchange: left behind, the body would be read as a request.
  const http1::RequestHead& head = exchange.request();
  if (upload == Upload::whole && head.framing == http1::Framing::length)
    window_used_ = static_cast<std::size_t>(head.content_length);
  if (upgrade_ && exchange_.shadow) exchange_.skip_shadow(ShadowResult::skipped_upgrade);
}

Task<Next> Relay::run() {
  std::exception_ptr failure;
  try {
    co_return co_await serve();
  } catch (const std::exception&) {  // of an allocation
    failure = std::current_exception();
  }
  co_await stop_upload();  // it must not outlive what it uses
  std::rethrow_exception(failure);
}

Task<Next> Relay::serve() {
  const std::optional<Refusal> refusal = co_await reach_backend();
  if (!refusal && switches_protocols()) co_return co_await switch_protocols();
  if (!refusal) co_return co_await relay_response();

  const bool clean = upload_plan_ == Upload::whole;
  co_await stop_upload();
  lease_.discard();
  if (client_gone_) {
    exchange_.outcome = Outcome::client_aborted;
    co_await record(client_, exchange_);
    count_finished(client_, exchange_);
    co_return Next::close;
  }
  const Next next =
      co_await refuse(client_, exchange_, *refusal, clean ? Next::keep_alive : Next::linger);
  client_.buffer.consume(exchange_.request().bytes + window_used_);
  co_return next;
}

Refusal Relay::refusal_of(Failure failure) {
  switch (failure) {
    case Failure::client_gone:  // nobody is left to be answered
      return {499, "client_gone", "the client left"};
    case Failure::timeout:
      exchange_.attempt_failed(exchange_.endpoint, "no answer in time");
      exchange_.outcome = Outcome::upstream_timeout;
      return {504, "upstream_timeout", "the backend did not answer in time",
              passed_limit("first_byte")};
    case Failure::upload:
      return *upload_refusal_;
    case Failure::malformed:
      exchange_.attempt_failed(exchange_.endpoint, exchange_.response_parser.refusal().reason);
      exchange_.outcome = Outcome::upstream_reset;
      return {502, "upstream_malformed", "the backend's answer is not valid HTTP/1.1"};
    case Failure::reset:
    case Failure::none:
      break;
  }
  exchange_.attempt_failed(exchange_.endpoint, "closed without an answer");
  exchange_.outcome = Outcome::upstream_reset;
  return {502, "upstream_reset", "the backend closed the connection without an answer"};
}

const char* Relay::passed_limit(const char* otherwise) const noexcept {
  return monotonic_now() >= total_expiry_ ? "total" : otherwise;
}

Task<Relay::Failure> Relay::send_and_read_head() {
  got_bytes_ = false;
  sent_at_ = exchange_.elapsed_micros();
  co_await send_head();
  const Failure failure = co_await read_response_head();
  judge_endpoint(failure);
  co_return failure;
}

// What the endpoint is to blame for: docs/upstreams.md, "Ejection".
void Relay::judge_endpoint(Failure failure) noexcept {
  Upstream& upstream = *worker_.upstreams[exchange_.decision.backend];
  if (failure == Failure::none) return upstream.answered(*lease_);
  const bool silent = failure == Failure::timeout && uploaded_ && had_its_time();
  const bool broken = failure == Failure::reset && !aborted_ && !may_retry(failure);
  if (silent || broken) upstream.failed(*lease_);
}

// `total` runs from the request's head on: a slow client may have left next to nothing of it.
bool Relay::had_its_time() const noexcept {
  const std::int64_t micros = exchange_.elapsed_micros() - exchange_.timing.request_sent;
  return micros * 1000 >= fair_time();
}

// A failed write is not the end: the backend may have answered before it closed.
Task<void> Relay::send_head() {
  const http1::RequestHead& head = exchange_.request();
  const BackendSettings& backend = worker_.settings.backends[exchange_.decision.backend];
  exchange_.out.clear();
  http1::ForwardSettings forward = client_.forwarding(exchange_);
  forward.websocket = upgrade_;
  forward.takes_trailers = !traffic_.trailers.response.empty() && http1::takes_trailers(head);
  forward.trailers = &traffic_.trailers.request;
  worker_.counters.underscore_dropped += http1::write_request_head(
      head, exchange_.decision.upstream_target,
      host_for(backend, head), head.framing, forward, exchange_.out);
  if (upload_plan_ == Upload::whole)
    exchange_.out.borrow(client_.buffer.readable().substr(head.bytes, window_used_));
  const std::span<iovec> pieces(exchange_.out.pieces());
  const Transfer sent =
      co_await lease_->stream.write(pieces, upstream_patience().count(), total_expiry_);
  if (upload_plan_ == Upload::whole) {
    uploaded_ = !sent.ec;
    exchange_.timing.request_sent = exchange_.elapsed_micros();
  } else if (!sent.ec) {
    upload_left_ = head.content_length;
    upload_.start(upload());
  }
}

std::chrono::nanoseconds Relay::upstream_patience() const noexcept {
  return timeouts_.idle ? std::chrono::nanoseconds(*timeouts_.idle)
                        : std::chrono::nanoseconds(runtime::kNever);
}

// Reads behind what is in the backend's buffer, which does not move (a head in it is viewed), and
// looks now and then whether the client is there. While an upload runs its own deadlines hold; when
// it ends it sets the one of this read.
Task<Transfer> Relay::read_upstream(std::optional<std::chrono::milliseconds> limit) {
  MonotonicNs now = coarse_now();
  const MonotonicNs expiry = std::min(total_expiry_, limit ? after(now, *limit) : runtime::kNever);
  answer_expiry_ = runtime::kNever;
  for (;;) {
    if (upload_refusal_ || aborted_)
      co_return Transfer{make_error_code(errors::operation_aborted), 0};
    // A backend that never pauses never waits, so that no deadline would fire.
    if (now >= total_expiry_) co_return Transfer{make_error_code(errors::timed_out), 0};
    const bool uploading = upload_.running();
    const bool probing = !uploading && !client_gone_ && after(now, kClientProbe) < expiry;
    const MonotonicNs until = probing     ? after(now, kClientProbe)
                              : uploading ? total_expiry_
                                          : expiry;
    Transfer got;
    got.ec = co_await lease_->stream.readable(until);
    if (!got.ec) {
      runtime::Buffer& in = lease_->buffer;
      // Memory is taken when there is something to put in it.
      if (in.capacity() == 0) in.reserve(response_buffer());
      // What was announced may be nothing for us, a session ticket of TLS: this may wait again.
      const MonotonicNs still = std::min(until, answer_expiry_);
      got = co_await lease_->stream.read_some(in.writable(), still);
    }
    if (got.ec != errors::timed_out || !probing) co_return got;
    now = coarse_now();
    if (!client_.stream.peer_gone()) continue;
    client_left();
    // What may have changed data is seen to its end; the rest is cancelled.
    if (!exchange_.unsafe()) co_return got;
  }
}

// The longest head and as much again for the body behind it.
std::size_t Relay::response_buffer() const noexcept {
  return std::max<std::size_t>(kResponseBuffer, 2 * worker_.settings.limits.head_bytes);
}

Task<Relay::Failure> Relay::read_response_head() {
  runtime::Buffer& in = lease_->buffer;
  for (;;) {
    const Transfer got = co_await read_upstream(timeouts_.first_byte);
    if (upload_refusal_) co_return Failure::upload;
    if (client_gone_ && !exchange_.unsafe()) co_return Failure::client_gone;
    if (got.ec == errors::timed_out) co_return Failure::timeout;
    if (got.bytes == 0) co_return Failure::reset;
    got_bytes_ = true;
    in.commit(got.bytes);
    const std::optional<Failure> parsed = co_await parse_response_head();
    if (parsed) co_return *parsed;
  }
}

Task<std::optional<Relay::Failure>> Relay::parse_response_head() {
  runtime::Buffer& in = lease_->buffer;
  http1::ResponseParser& parser = exchange_.response_parser;
  for (;;) {
    const auto state = parser.parse(in.readable(), exchange_.request().method);
    if (state == http1::ParseState::need_more) co_return std::nullopt;
    if (state == http1::ParseState::refused) co_return Failure::malformed;
    const http1::ResponseHead& head = parser.head();
    if (head.status >= 200 || switches_protocols()) {
      // Behind interim responses there may be little room left for the body.
      if (in.reserve(response_buffer()) == runtime::Buffer::Moved::yes) {
        parser.reset();
        const auto again = parser.parse(in.readable(), exchange_.request().method);
        ensure(again == http1::ParseState::done, "a head that was moved is read as before");
      }
      exchange_.timing.first_byte = exchange_.elapsed_micros();
      co_return Failure::none;
    }
    // Nobody asked for what it switches to: what follows would not be HTTP.
    if (head.status == 101 || exchange_.interim.size() == kMaxInterim) co_return Failure::malformed;
    exchange_.interim.push_back(head.status);
    co_await relay_interim();
    if (client_gone_ && !exchange_.unsafe()) co_return Failure::client_gone;
    in.consume(head.bytes);
    parser.reset();
    in.reserve(response_buffer());  // as much room for the next head as for the first
    if (in.size() == 0) co_return std::nullopt;
  }
}

Task<void> Relay::relay_interim() {
  if (exchange_.request().version_minor == 0 || client_gone_) co_return;
  exchange_.out.clear();
  http1::ResponseForward forward;
  forward.via = worker_.settings.via;
  forward.edits = worker_.edits[exchange_.decision.route->index].of_response();
  http1::write_response_head(exchange_.response_parser.head(), forward, exchange_.out);
  const auto patience = std::chrono::nanoseconds(worker_.settings.limits.send_idle).count();
  const std::span<iovec> pieces(exchange_.out.pieces());
  const Transfer sent = co_await client_.stream.write(pieces, patience);
  if (sent.ec) client_left(sent.ec);
}

void Relay::client_left(boost::system::error_code why) {
  if (client_gone_) return;
  client_gone_ = true;
  if (why == errors::timed_out) worker_.counters.limits.add("send_idle");
  ++worker_.counters.client_aborts;
}

}  // namespace segue::gateway
