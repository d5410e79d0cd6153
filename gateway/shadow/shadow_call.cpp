#include "gateway/shadow/shadow_call.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>

#include "exchange/ensure.hpp"
#include "gateway/afterwards.hpp"

namespace segue::gateway {

using runtime::coarse_now;
using runtime::monotonic_now;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

namespace {

constexpr std::size_t kReadBytes = 64 << 10;  // what is read of a backend at once
constexpr std::size_t kMaxInterim = 32;       // 1xx responses before a final one
// A server with few processes would keep one of them for each idle connection, from clients.
constexpr std::chrono::milliseconds kControlIdle{1'000};

}  // namespace

ShadowCall::ShadowCall(const Means& means, const Shadow& shadow, Kind kind)
    : worker_(means.worker),
      upstream_(means.upstream),
      shadow_(shadow),
      kind_(kind),
      head_(shadow.head(kind)),
      deadline_(
          worker_.core.wheel(),
          [](void* self) {
            auto& call = *static_cast<ShadowCall*>(self);
            call.expired_ = true;
            if (call.lease_) call.lease_->stream.cancel();
          },
          this),
      parser_({worker_.settings.limits.head_bytes, worker_.settings.limits.fields,
               worker_.settings.limits.target_bytes}),
      body_(means.captures) {}

void ShadowCall::abort() noexcept {
  aborted_ = true;
  if (lease_) lease_->stream.cancel();
}

Task<ShadowResult> ShadowCall::run() {
  created_at_ = runtime::unix_micros_now();
  id_ = worker_.ids.next(created_at_);
  started_ = monotonic_now();
  expiry_ = runtime::after(started_, shadow_.settings().timeout);
  deadline_.arm(expiry_);
  const Fault fault = co_await call();
  deadline_.disarm();
  if (fault != Fault::none) failed(fault);
  Afterwards turn(worker_.core);
  co_await turn;
  record();
  if (fault == Fault::none) give_back_connection();
  lease_.discard();
  switch (fault) {
    case Fault::none:
      if (kind_ == Kind::shadow && !body_cut_) {
        shadow_.counts().duration.observe(timing_.last_byte - ready_at_);
        shadow_.counts().primary_duration.observe(shadow_.primary_micros());
      }
      co_return ShadowResult::sent;
    case Fault::timeout:
    case Fault::connect_timeout:
      co_return ShadowResult::timeout;
    case Fault::no_connection:
    case Fault::reset:
    case Fault::malformed:
    case Fault::aborted:
      break;
  }
  co_return ShadowResult::error;
}

Task<ShadowCall::Fault> ShadowCall::call() {
  Reuse reuse = is_safe_method(head_.method()) ? Reuse::any : Reuse::recent;
  for (;;) {
    Fault fault = co_await connect(reuse);
    if (fault != Fault::none) co_return fault;
    fault = co_await ask();
    if (!may_retry(fault)) co_return fault;
    attempt_failed(endpoint_, "stale pooled connection");
    lease_.discard();
    ++upstream_.counts().stale_retries;
    reuse = Reuse::fresh;
  }
}

// A pooled connection may have been closed by the backend as we sent, as on the client's path.
bool ShadowCall::may_retry(Fault fault) const noexcept {
  return fault == Fault::reset && lease_->reused && !got_bytes_ && is_safe_method(head_.method());
}

Task<ShadowCall::Fault> ShadowCall::connect(Reuse reuse) {
  if (const Fault fault = stopped(); fault != Fault::none) co_return fault;
  auto lease = co_await upstream_.acquire(reuse, expiry_);
  if (lease) {
    lease_ = std::move(*lease);
    endpoint_ = lease_->endpoint.name;
    const auto since_start = [this](runtime::MonotonicNs at) { return (at - started_) / 1000; };
    timing_.connect = lease_->reused ? 0 : since_start(lease_->connected_at);
    if (!lease_->reused && lease_->tls_at != 0) timing_.tls = since_start(lease_->tls_at);
    co_return stopped();
  }
  if (aborted_) co_return Fault::aborted;
  attempt_failed(upstream_.settings().name, describe(lease.error()));
  co_return lease.error().code == errors::timed_out ? Fault::connect_timeout : Fault::no_connection;
}

Task<ShadowCall::Fault> ShadowCall::ask() {
  ready_at_ = elapsed_micros();
  sent_whole_ = false;
  upload_.start(send());
  Fault fault = Fault::none;
  std::exception_ptr failure;  // of an allocation; the upload must not outlive what it uses
  try {
    fault = co_await read_answer();
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  if (upload_.running()) lease_->stream.cancel();
  co_await upload_.join();
  if (failure) std::rethrow_exception(failure);
  co_return fault;
}

// A failed write is not the end: the backend may have answered before it closed.
Task<void> ShadowCall::send() {
  std::vector<iovec> all;
  const auto add = [&all](std::string_view text) {
    all.push_back({const_cast<char*>(text.data()), text.size()});
  };
  add(head_.text());
  for (const runtime::Buffer& piece : shadow_.body()) add(piece.readable());
  const std::span<iovec> pieces(all);
  const Transfer sent = co_await lease_->stream.write(pieces, runtime::kNever);
  sent_whole_ = !sent.ec;
  if (sent_whole_) timing_.request_sent = elapsed_micros();
}

Task<ShadowCall::Fault> ShadowCall::read_answer() {
  const Fault fault = co_await read_head();
  if (fault != Fault::none) co_return fault;
  co_return co_await read_body();
}

ShadowCall::Fault ShadowCall::stopped() noexcept {
  if (aborted_) return Fault::aborted;
  // A backend that never pauses never waits, so that the deadline might come late.
  return expired_ || coarse_now() >= expiry_ ? Fault::timeout : Fault::none;
}

Task<Transfer> ShadowCall::read() {
  Transfer got;
  got.ec = co_await lease_->stream.readable(expiry_);
  if (!got.ec) {
    Afterwards turn(worker_.core);
    co_await turn;
    // What was cut meanwhile found nothing that waits.
    if (stopped() != Fault::none) co_return Transfer{make_error_code(errors::operation_aborted), 0};
    runtime::Buffer& in = lease_->buffer;
    if (in.capacity() == 0) in.reserve(buffer_bytes());
    got = co_await lease_->stream.read_some(in.writable(), expiry_);
  }
  if (got.ec == errors::timed_out) expired_ = true;  // its own deadline may come a moment later
  if (got.bytes != 0) {
    got_bytes_ = true;
    lease_->buffer.commit(got.bytes);
  }
  co_return got;
}

// The longest head and as much again for the body behind it.
std::size_t ShadowCall::buffer_bytes() const noexcept {
  return std::max<std::size_t>(kReadBytes, 2 * worker_.settings.limits.head_bytes);
}

Task<ShadowCall::Fault> ShadowCall::read_head() {
  for (;;) {
    const Fault before = stopped();
    if (before != Fault::none) co_return before;
    const Transfer got = co_await read();
    if (got.bytes == 0) {
      const Fault why = stopped();
      co_return why == Fault::none ? Fault::reset : why;
    }
    const std::optional<Fault> parsed = parse_head();
    if (parsed) co_return *parsed;
  }
}

std::optional<ShadowCall::Fault> ShadowCall::parse_head() {
  runtime::Buffer& in = lease_->buffer;
  for (;;) {
    const auto state = parser_.parse(in.readable(), head_.method());
    if (state == http1::ParseState::need_more) return std::nullopt;
    if (state == http1::ParseState::refused) return Fault::malformed;
    const http1::ResponseHead& head = parser_.head();
    if (head.status >= 200) {
      // Behind interim responses there may be little room left for the body.
      if (in.reserve(buffer_bytes()) == runtime::Buffer::Moved::yes) {
        parser_.reset();
        const auto again = parser_.parse(in.readable(), head_.method());
        ensure(again == http1::ParseState::done, "a head that was moved is read as before");
      }
      timing_.first_byte = elapsed_micros();
      return Fault::none;
    }
    if (head.status == 101 || interim_.size() == kMaxInterim) return Fault::malformed;
    interim_.push_back(head.status);
    in.consume(head.bytes);
    parser_.reset();
    in.reserve(buffer_bytes());
    if (in.size() == 0) return std::nullopt;
  }
}

void ShadowCall::begin_body() {
  const http1::ResponseHead& head = parser_.head();
  answered_ = true;
  body_left_ = head.content_length;
  body_ended_ = head.framing == http1::Framing::none ||
                (head.framing == http1::Framing::length && body_left_ == 0);
  reusable_ = head.keep_alive && head.framing != http1::Framing::until_close;
  if (head.framing == http1::Framing::none) return;
  const recorder::RecordSettings& record = worker_.recorder->settings(shadow_.route_index());
  if (record.enabled && record.bodies)
    body_.start(record.body_max_bytes, record.body_digest);
  else
    body_.start_skipping("settings");
}

Task<ShadowCall::Fault> ShadowCall::read_body() {
  begin_body();
  for (;;) {
    if (!take_content()) co_return Fault::malformed;
    if (body_cut_) co_return Fault::none;
    if (body_ended_) break;
    lease_->buffer.truncate(parser_.head().bytes);
    const Fault before = stopped();
    if (before != Fault::none) co_return before;
    const Transfer got = co_await read();
    if (got.bytes != 0) continue;
    const Fault why = stopped();
    if (why != Fault::none) co_return why;
    if (got.ec || parser_.head().framing != http1::Framing::until_close) co_return Fault::reset;
    body_ended_ = true;
    break;
  }
  body_.end();
  timing_.last_byte = elapsed_micros();
  co_return Fault::none;
}

bool ShadowCall::take_content() {
  const http1::ResponseHead& head = parser_.head();
  std::string_view rest = lease_->buffer.readable().substr(head.bytes);
  if (head.framing == http1::Framing::until_close) {
    take(rest);
    return true;
  }
  if (head.framing == http1::Framing::length) {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, rest.size()));
    take(rest.substr(0, now));
    body_left_ -= now;
    rest.remove_prefix(now);
    body_ended_ = body_left_ == 0;
  }
  while (head.framing == http1::Framing::chunked && !body_ended_ && !rest.empty()) {
    const auto step = chunks_.step(rest);
    if (step.state == http1::ChunkDecoder::State::damaged) return false;
    take(step.content);
    rest.remove_prefix(step.consumed);
    body_ended_ = step.state == http1::ChunkDecoder::State::done;
  }
  // Bytes behind the end of the body are no answer to anything.
  if (body_ended_ && !rest.empty()) reusable_ = false;
  return true;
}

void ShadowCall::take(std::string_view content) {
  const std::uint64_t most = shadow_.settings().max_body_bytes;
  const std::uint64_t room = most - std::min(body_bytes_, most);
  body_bytes_ += content.size();
  body_cut_ = body_bytes_ > most;
  body_.add(
      content.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(room, content.size()))));
}

void ShadowCall::give_back_connection() {
  const http1::ResponseHead& head = parser_.head();
  if (body_cut_ || !reusable_ || !sent_whole_) {
    if (head.keep_alive) ++upstream_.counts().discarded;
    return;
  }
  lease_->idle_time = upstream_.settings().idle_time;
  if (kind_ == Kind::control) lease_->idle_time = std::min(lease_->idle_time, kControlIdle);
  if (head.keep_alive_seconds)
    lease_->idle_time = std::min<std::chrono::milliseconds>(
        lease_->idle_time, std::chrono::seconds(*head.keep_alive_seconds));
  lease_.give_back();
}

void ShadowCall::attempt_failed(std::string_view endpoint, std::string error) {
  failed_.push_back({std::string(endpoint), std::move(error), elapsed_micros()});
}

void ShadowCall::failed(Fault fault) {
  switch (fault) {
    case Fault::none:
      return;
    case Fault::no_connection:
    case Fault::connect_timeout:
      outcome_ = Outcome::upstream_connect_failed;
      return;
    case Fault::timeout:
      outcome_ = Outcome::upstream_timeout;
      return attempt_failed(endpoint_, "not done in time");
    case Fault::reset:
      outcome_ = Outcome::upstream_reset;
      return attempt_failed(
          endpoint_, answered_ ? "closed in the middle of its answer" : "closed without an answer");
    case Fault::malformed:
      outcome_ = Outcome::upstream_reset;
      return attempt_failed(endpoint_, answered_ ? chunks_.damage() : parser_.refusal().reason);
    case Fault::aborted:
      outcome_ = Outcome::interrupted;
      return attempt_failed(endpoint_, "cut: the gateway ends");
  }
}

BodyView ShadowCall::recorded_body() {
  BodyView body = body_.view();
  if (body.capture == Capture::absent || (body_ended_ && !body_cut_)) return body;
  body.size = body_bytes_;
  if (body.capture == Capture::skipped) return body;
  body.capture = Capture::truncated;
  body.reason = body_cut_ ? "shadow.max_body" : "incomplete";
  return body;
}

// A journal without room drops it, and counts it; nobody waits for what the route's durability is.
void ShadowCall::record() {
  ExchangeView view = shadow_.view(kind_);
  view.id = id_;
  view.created_at = created_at_;
  view.outcome = outcome_;
  view.decision.backend = upstream_.settings().name;
  view.decision.role = upstream_.settings().role;
  view.decision.endpoint = endpoint_;
  view.timing = timing_;
  if (answered_) {
    const http1::ResponseHead& head = parser_.head();
    view.response = {.status = head.status,
                     .version_minor = head.version_minor,
                     .reason = head.reason,
                     .interim = interim_,
                     .fields = head.fields,
                     .trailers = {},
                     .body = recorded_body()};
  }
  std::vector<Attempt> attempts;
  for (const FailedAttempt& failed : failed_)
    attempts.push_back({failed.endpoint, failed.error, failed.at});
  if (answered_ && !attempts.empty() && outcome_ == Outcome::completed)
    attempts.push_back({endpoint_, {}, timing_.connect});
  view.attempts = attempts;
  recorder::IntentTicket none;
  const auto recorded = worker_.recorder->append(view, shadow_.route_index(), none);
  if (!recorded) return;
  const auto flushed = worker_.recorder->flush();
  static_cast<void>(flushed);
}

std::int64_t ShadowCall::elapsed_micros() const noexcept {
  return (monotonic_now() - started_) / 1000;
}

}  // namespace segue::gateway
