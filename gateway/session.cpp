#include "gateway/session.hpp"

#include <boost/asio/error.hpp>

#include "exchange/ensure.hpp"
#include "gateway/body_pace.hpp"
#include "gateway/http1/chunk_decoder.hpp"
#include "gateway/own_answers.hpp"
#include "gateway/relay.hpp"
#include "gateway/shadow/shadows.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {
namespace {

using runtime::after;
using runtime::coarse_now;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

constexpr std::size_t kRequestBuffer = 16 << 10;     // taken when a request arrives, not before
constexpr std::size_t kLingerBuffer = 4096;          // what comes is thrown away
constexpr std::size_t kBodyWindow = 64 << 10;        // of a body that streams
constexpr std::size_t kWholeBody = 64 << 10;         // up to here a body is read before it is sent
constexpr std::chrono::milliseconds kLinger{2'000};  // reading on after an early answer

constexpr Refusal kJournalFull{
    503, "journal_full", "the exchange cannot be recorded now; nothing was sent to the backend"};

constexpr Refusal kNotSynced{
    503, "journal_not_synced",
    "the exchange could not be written to the disk in time; nothing was sent to the backend"};

// Counts a request as active, also where an allocation fails in its middle.
class ActiveRequest {
 public:
  explicit ActiveRequest(Counters& counters) : counters_(counters) { ++counters_.active_requests; }
  ActiveRequest(const ActiveRequest&) = delete;
  ActiveRequest& operator=(const ActiveRequest&) = delete;
  ~ActiveRequest() { --counters_.active_requests; }

 private:
  Counters& counters_;
};

}  // namespace

Session::Session(Worker& worker, const Entrance& entrance, const Peer& peer)
    : worker_(worker), entrance_(entrance), client_(worker, entrance.settings) {
  comes_from(peer);
  worker_.enter(*this);
}

Session::~Session() {
  worker_.leave(*this);
}

// Who has just connected is about to ask, and has been told nothing yet: it is waited for as long as
// for any head.
void Session::close_if_idle() noexcept {
  if (idle_ && !first_) client_.stream.cancel();
}

void Session::abort() noexcept {
  if (idle_ || lingering_) return client_.stream.close();  // nothing is cut
  client_.stream.reset();
  if (relay_ != nullptr) relay_->abort();
}

Task<void> Session::run() {
  const bool ready = co_await open();
  if (!ready) co_return client_.stream.close();
  Next next = Next::keep_alive;
  while (next == Next::keep_alive) {
    const std::optional<Next> ended = co_await wait_for_request();
    if (ended) {
      next = *ended;
      break;
    }
    auto exchange = worker_.take_exchange();
    exchange->begin();
    exchange->scheme = client_.scheme;
    next = co_await serve(*exchange);
    worker_.give_exchange(std::move(exchange));
    first_ = false;
    if (next == Next::close && has_unread()) next = Next::linger;
  }
  if (next == Next::reset) co_return client_.stream.reset();
  // A client that has not heard yet that this was the last answer may have sent a request more.
  if (next == Next::close && worker_.draining()) next = Next::linger;
  if (next == Next::linger) co_await linger();
  place_.give_back();  // whoever sees the end may connect again
  co_await end_sending();
  client_.stream.close();
}

// All that was answered is with the kernel.
Task<void> Session::end_sending() {
  lingering_ = true;
  client_.buffer.release();
  const MonotonicNs expiry = after(monotonic_now(), worker_.settings.limits.send_idle);
  co_await client_.stream.end_sending(expiry);
}

Task<std::optional<Next>> Session::wait_for_request() {
  client_.buffer.shrink();
  if (client_.buffer.size() != 0) co_return std::nullopt;  // pipelined
  const Limits& limits = worker_.settings.limits;
  const MonotonicNs expiry = after(coarse_now(), first_ ? limits.head_time : limits.keep_alive);
  boost::system::error_code ec = errors::operation_aborted;
  idle_ = true;
  if (first_ || !worker_.closing()) ec = co_await client_.stream.readable(expiry);
  // RFC 9112, 9.6: the client may have sent a request just as this connection was to end. One that
  // is here is served; one that is still under way finds our end, and not a reset.
  if (ec && client_.stream.quiet(runtime::Stream::Quiet::asked)) {
    idle_ = false;
    co_return Next::linger;
  }
  client_.buffer.reserve(kRequestBuffer);
  const MonotonicNs soon = after(coarse_now(), kLinger);
  const Transfer got =
      co_await client_.stream.read_some(client_.buffer.writable(), ec ? soon : expiry);
  idle_ = false;
  client_.buffer.commit(got.bytes);
  if (got.bytes == 0) co_return Next::close;
  co_return std::nullopt;
}

Task<Next> Session::serve(Exchange& exchange) {
  const std::optional<Next> ended = co_await read_head(exchange);
  if (ended) co_return *ended;
  const ActiveRequest active(worker_.counters);
  co_return co_await serve_request(exchange);
}

Task<std::optional<Next>> Session::read_head(Exchange& exchange) {
  const MonotonicNs expiry = after(coarse_now(), worker_.settings.limits.head_time);
  runtime::Buffer& buffer = client_.buffer;
  for (;;) {
    const http1::ParseState state = exchange.request_parser.parse(buffer.readable());
    if (state == http1::ParseState::done) break;
    if (state == http1::ParseState::refused) {
      exchange.head_received(runtime::unix_micros_now(), monotonic_now());
      const http1::Refusal bad = exchange.request_parser.refusal();
      const Refusal refusal = malformed(bad.status, bad.reason);
      co_return co_await refuse(client_, exchange, refusal, Next::linger);
    }
    if (buffer.writable().empty()) {
      buffer.reserve(buffer.size() * 2);
      continue;  // what was read so far must follow the buffer, also when no more comes
    }
    const Transfer got = co_await client_.stream.read_some(buffer.writable(), expiry);
    if (got.ec == errors::timed_out) {
      exchange.head_received(runtime::unix_micros_now(), monotonic_now());
      constexpr Refusal slow{408, "head_timeout", "the request head did not arrive in time",
                             "head_time"};
      co_return co_await refuse(client_, exchange, slow, Next::close);
    }
    if (got.bytes == 0) co_return Next::close;  // gone in the middle of a head
    buffer.commit(got.bytes);
  }
  exchange.head_received(runtime::unix_micros_now(), monotonic_now());
  make_room_for_body(exchange);
  co_return std::nullopt;
}

// Head and body share the buffer; when it has to grow, the head moves and is read again.
void Session::make_room_for_body(Exchange& exchange) {
  const http1::RequestHead& head = exchange.request();
  if (head.framing == http1::Framing::none) return;
  std::size_t body = kBodyWindow;
  if (head.framing == http1::Framing::length && head.content_length < kBodyWindow)
    body = static_cast<std::size_t>(head.content_length);
  if (client_.buffer.reserve(head.bytes + body) == runtime::Buffer::Moved::no) return;
  exchange.request_parser.reset();
  const auto again = exchange.request_parser.parse(client_.buffer.readable());
  ensure(again == http1::ParseState::done, "a head that was moved is read as before");
}

Task<Next> Session::serve_request(Exchange& exchange) {
  // An answer of our own leaves a body unread: what follows cannot be trusted to be a request.
  const http1::RequestHead& head = exchange.request();
  const Next after_refusal = head.framing == http1::Framing::none ? Next::keep_alive : Next::linger;
  if (head.method == "OPTIONS" && (head.target == "*" || head.max_forwards == 0u) &&
      head.framing == http1::Framing::none) {
    const Next next = co_await answer_options(client_, exchange);
    client_.buffer.consume(exchange.request().bytes);
    co_return next;
  }
  std::optional<Refusal> refusal = decide(exchange);
  if (!refusal) refusal = check_body(exchange);
  const BodyPlan plan = plan_body(exchange);
  Next next = after_refusal;
  if (!refusal && plan == BodyPlan::whole) {
    refusal = co_await read_whole_body(exchange);
    if (exchange.outcome == Outcome::client_aborted) {
      co_await record(client_, exchange);
      count_finished(client_, exchange);
      co_return Next::close;
    }
    if (!refusal) next = Next::keep_alive;
  }
  const bool forwards = exchange.decision.action == routing::RouteAction::forward;
  if (!refusal && forwards && exchange.unsafe()) refusal = co_await intend(exchange);
  if (refusal || !forwards) {
    if (refusal)
      next = co_await refuse(client_, exchange, *refusal, next);
    else
      next = co_await answer_route(client_, exchange, next);
    const std::size_t body = plan == BodyPlan::whole && next == Next::keep_alive
                                 ? static_cast<std::size_t>(head.content_length)
                                 : 0;
    client_.buffer.consume(exchange.request().bytes + body);
    co_return next;
  }
  Relay relay(client_, exchange,
              plan == BodyPlan::streamed ? Relay::Upload::streamed : Relay::Upload::whole);
  relay_ = &relay;
  next = co_await relay.run();
  relay_ = nullptr;
  co_return next;
}

std::optional<Refusal> Session::decide(Exchange& exchange) {
  const http1::RequestHead& head = exchange.request();
  if (client_.listener.underscore_names == http1::UnderscoreNames::refuse &&
      http1::has_underscore_name(head))
    return Refusal{400, "underscore_name", "a header name contains an underscore"};
  exchange.scheme = client_.scheme_of(head);
  const HeadView view{head.method, exchange.scheme, head.authority, head.target, head.fields};
  exchange.decision = worker_.routes->decide(view, routing::Peer{client_.ip}, exchange.scratch);
  using Verdict = routing::Decision::Verdict;
  switch (exchange.decision.verdict) {
    case Verdict::routed:
      if (exchange.decision.bucket >= 0) {
        const bool to_new = worker_.settings.backends[exchange.decision.backend].role == "new";
        ++worker_.counters.splits[exchange.decision.route->index][to_new ? 1 : 0];
      }
      if (exchange.decision.shadow != routing::Decision::Shadow::none)
        worker_.shadows->plan(exchange);
      return std::nullopt;
    case Verdict::no_route:
      return Refusal{404, "no_route", "no route takes this request"};
    case Verdict::path_confusion:
      ++worker_.counters.path_confusion;
      return Refusal{400, "path_confusion",
                     "the path could be read in two ways that lead to different places"};
    case Verdict::bad_target:
      break;
  }
  return Refusal{400, "bad_target", "the request target is not valid"};
}

std::optional<Refusal> Session::check_body(const Exchange& exchange) const {
  const http1::RequestHead& head = exchange.request();
  const auto limit = worker_.settings.limits.body_bytes;
  if (limit && head.framing == http1::Framing::length && head.content_length > *limit)
    return Refusal{413, "body_too_large", "the request body is larger than the gateway accepts",
                   "body"};
  if (head.framing != http1::Framing::chunked) return std::nullopt;
  // Damage that is already visible is answered before the backend hears of the request.
  http1::ChunkDecoder decoder;
  std::string_view rest = client_.buffer.readable().substr(head.bytes);
  for (;;) {
    const auto step = decoder.step(rest);
    if (step.state == http1::ChunkDecoder::State::damaged)
      return Refusal{400, decoder.damage(), "the chunked body is damaged"};
    if (step.state == http1::ChunkDecoder::State::done || step.consumed == 0) return std::nullopt;
    rest.remove_prefix(step.consumed);
  }
}

Session::BodyPlan Session::plan_body(const Exchange& exchange) const noexcept {
  const http1::RequestHead& head = exchange.request();
  if (head.framing == http1::Framing::none) return BodyPlan::none;
  const bool here = head.framing == http1::Framing::length &&
                    client_.buffer.size() >= head.bytes + head.content_length;
  if (head.framing == http1::Framing::length && head.content_length <= kWholeBody &&
      (here || !head.expect_continue))
    return BodyPlan::whole;
  return BodyPlan::streamed;
}

Task<std::optional<Refusal>> Session::read_whole_body(Exchange& exchange) {
  const http1::RequestHead& head = exchange.request();
  const Limits& limits = worker_.settings.limits;
  const std::size_t length = static_cast<std::size_t>(head.content_length);
  runtime::Buffer& buffer = client_.buffer;
  BodyPace pace(limits);
  while (buffer.size() < head.bytes + length) {
    const Transfer got = co_await client_.stream.read_some(buffer.writable(), pace.expiry());
    if (got.ec == errors::timed_out) co_return kBodyTimeout;
    if (got.bytes == 0) {
      ++worker_.counters.client_aborts;
      exchange.outcome = Outcome::client_aborted;
      break;
    }
    buffer.commit(got.bytes);
    if (!pace.keeps_up(got.bytes)) co_return kBodyTooSlow;
  }
  start_capture(exchange.request_body, exchange);
  const std::string_view body = buffer.readable().substr(head.bytes, length);
  exchange.request_body.borrow(body);
  if (body.size() == length) exchange.request_body.end();
  co_return std::nullopt;
}

Task<std::optional<Refusal>> Session::intend(Exchange& exchange) {
  recorder::Recorder& recorder = *worker_.recorder;
  MonotonicNs give_up = 0;
  for (;;) {
    const ExchangeView view = exchange.view(client_.view(exchange));
    auto ticket = recorder.intend(view, exchange.route_index());
    if (ticket) {
      exchange.ticket = std::move(*ticket);
      co_return co_await sync_intent(exchange);
    }
    const MonotonicNs now = coarse_now();
    if (give_up == 0) give_up = after(now, recorder.block_timeout());
    if (!recorder::Recorder::wants_wait(ticket.error()) || now >= give_up) co_return kJournalFull;
    runtime::Pause pause(worker_.core, after(now, std::chrono::milliseconds(10)));
    co_await pause;
  }
}

// `durability: disk`: what may change data is on the disk before the backend hears of it.
Task<std::optional<Refusal>> Session::sync_intent(Exchange& exchange) {
  const auto durability = worker_.recorder->settings(exchange.route_index()).durability;
  if (!exchange.ticket || durability != recorder::Durability::disk) co_return std::nullopt;
  const bool written = worker_.recorder->flush().has_value();
  const bool synced = written && co_await wait_for_promise(exchange);
  if (synced) co_return std::nullopt;
  co_return kNotSynced;
}

bool Session::has_unread() noexcept {
  return client_.buffer.size() != 0 || !client_.stream.quiet(runtime::Stream::Quiet::asked);
}

// RFC 9112, 9.6: the answer would be lost if unread bytes made the kernel reset the connection.
Task<void> Session::linger() {
  co_await end_sending();
  const MonotonicNs expiry = after(monotonic_now(), kLinger);
  client_.buffer.reserve(kLingerBuffer);
  for (;;) {
    const Transfer got = co_await client_.stream.read_some(client_.buffer.writable(), expiry);
    if (got.ec || got.bytes == 0) co_return;
  }
}

}  // namespace segue::gateway
