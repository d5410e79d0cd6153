// The way of a Relay to a connection: retries on other endpoints, and the route's fallback.
#include <algorithm>
#include <boost/asio/error.hpp>

#include "gateway/relay.hpp"
#include "gateway/upstream/shortage.hpp"

namespace segue::gateway {

using runtime::after;
using runtime::coarse_now;
using runtime::MonotonicNs;
using runtime::Task;
namespace errors = boost::asio::error;

namespace {

// An endpoint was tried and could not be reached. What waited in vain for others to give a
// connection back, was cut, or had nothing to try with has learnt nothing of an endpoint.
bool is_unreachable(const NoConnection& failure) noexcept {
  return failure.endpoint != nullptr && failure.code != errors::operation_aborted &&
         !is_out_of_means(failure.code);
}

// The exchange's `total` was over before anything was sent: the client or the journal took it.
NoConnection no_time_left() {
  return {{make_error_code(errors::timed_out), Party::upstream, Retry::safe,
           "nothing was sent: the time of the exchange was over"},
          nullptr};
}

}  // namespace

void Relay::take_timeouts() noexcept {
  timeouts_ = worker_.settings.backends[exchange_.decision.backend].timeouts;
  const RouteTimeouts& route = worker_.settings.route_timeouts[exchange_.decision.route->index];
  if (route.first_byte) timeouts_.first_byte = route.first_byte;
  if (route.idle) timeouts_.idle = route.idle;
  if (route.total) timeouts_.total = route.total;
  if (route.tunnel) timeouts_.tunnel = route.tunnel;
  total_expiry_ = timeouts_.total ? after(exchange_.started, *timeouts_.total) : runtime::kNever;
}

MonotonicNs Relay::fair_time() const noexcept {
  const auto limit = std::min(timeouts_.first_byte.value_or(std::chrono::milliseconds::max()),
                              timeouts_.total.value_or(std::chrono::milliseconds::max()));
  return limit == std::chrono::milliseconds::max() ? 0 : after(0, limit) / 2;
}

Task<std::optional<Refusal>> Relay::reach_backend() {
  if (upload_plan_ == Upload::streamed) start_capture(exchange_.request_body, exchange_);
  const bool once = exchange_.unsafe() || upload_plan_ == Upload::streamed;
  if (exchange_.decision.fallback >= 0 && is_known_to_be_down())
    fall_back(FallbackReason::unhealthy);
  earn_retry();  // also when it needs several connections
  // An upgrade is never sent again.
  Reuse reuse = upgrade_ ? Reuse::fresh : once ? Reuse::recent : Reuse::any;
  for (;;) {
    const std::optional<Refusal> refusal = co_await connect(reuse);
    if (refusal) co_return refusal;
    const Failure failure = co_await send_and_read_head();
    if (failure == Failure::none) co_return std::nullopt;
    if (!may_retry(failure)) co_return refusal_of(failure);
    exchange_.attempt_failed(exchange_.endpoint, "stale pooled connection");
    lease_.discard();
    ++worker_.upstreams[exchange_.decision.backend]->counts().stale_retries;
    reuse = Reuse::fresh;
    exchange_.decision.fallback = -1;  // something was sent: no other backend gets it, too
  }
}

// A pooled connection may have been closed by the backend as we sent (http.md, "Reuse, retry").
bool Relay::may_retry(Failure failure) const noexcept {
  return failure == Failure::reset && !aborted_ && lease_->reused && !got_bytes_ && !upgrade_ &&
         upload_plan_ == Upload::whole && is_idempotent_method(exchange_.request().method);
}

// Nothing of the request is sent here, so that one with any method may go elsewhere.
Task<std::optional<Refusal>> Relay::connect(Reuse reuse) {
  std::optional<NoConnection> failure = co_await connect_to_backend(reuse);
  if (failure && exchange_.decision.fallback >= 0 && is_unreachable(*failure) && !aborted_) {
    fall_back(FallbackReason::unreachable);
    earn_retry();
    failure = co_await connect_to_backend(reuse);
  }
  if (!failure) co_return std::nullopt;
  exchange_.endpoint.clear();
  exchange_.outcome = Outcome::upstream_connect_failed;
  if (failure->endpoint != nullptr && is_out_of_means(failure->code))
    co_return Refusal{503, "no_descriptors", "the gateway may have no more connections open"};
  if (failure->code == errors::no_buffer_space)
    co_return Refusal{503, "upstream_overloaded", "too many requests wait for the backend",
                      "pending"};
  if (failure->code == errors::timed_out)
    co_return Refusal{504, "upstream_connect_timeout", "the backend could not be reached in time",
                      passed_limit("connect")};
  co_return Refusal{502, "upstream_connect_failed", "the backend could not be reached"};
}

// One endpoint, and others where `retries` allows it.
Task<std::optional<NoConnection>> Relay::connect_to_backend(Reuse reuse) {
  Upstream& upstream = *worker_.upstreams[exchange_.decision.backend];
  if (coarse_now() >= total_expiry_) {
    exchange_.attempt_failed(upstream.settings().name, describe(no_time_left()));
    co_return no_time_left();
  }
  const std::uint32_t most = upstream.settings().retry_attempts;
  // Waiting for a connection that others hold is waiting for the backend.
  const auto limit = timeouts_.first_byte;
  const MonotonicNs expiry =
      limit ? std::min(total_expiry_, after(coarse_now(), *limit)) : total_expiry_;
  std::vector<const Endpoint*> failed;
  for (std::uint32_t retries = 0;; ++retries) {
    auto lease = co_await upstream.acquire(reuse, expiry, failed, fair_time());
    if (lease && coarse_now() >= total_expiry_) {
      lease->give_back();
      lease = no_time_left();
    }
    BackendCounts& counts = upstream.counts();
    if (retries != 0) ++(lease ? counts.retries_connected : counts.retries_failed);
    if (lease) {
      take_lease(std::move(*lease));
      co_return std::nullopt;
    }
    const NoConnection& failure = lease.error();
    exchange_.attempt_failed(failure.endpoint ? failure.endpoint->name : upstream.settings().name,
                             describe(failure));
    const bool again = retries < most && is_unreachable(failure) && !aborted_ &&
                       coarse_now() < expiry && may_spend_retry();
    if (!again) co_return failure;
    failed.push_back(failure.endpoint);
  }
}

void Relay::earn_retry() noexcept {
  const std::uint32_t backend = exchange_.decision.backend;
  if (worker_.settings.backends[backend].retry_attempts != 0)
    worker_.retry_budgets[backend].earn();
}

bool Relay::may_spend_retry() noexcept {
  if (worker_.retry_budgets[exchange_.decision.backend].spend(coarse_now())) return true;
  ++worker_.upstreams[exchange_.decision.backend]->counts().retry_budget_exhausted;
  return false;
}

void Relay::take_lease(UpstreamLease lease) {
  lease_ = std::move(lease);
  exchange_.endpoint = lease_->endpoint.name;
  const auto since_start = [this](MonotonicNs at) { return (at - exchange_.started) / 1000; };
  exchange_.timing.connect = lease_->reused ? 0 : since_start(lease_->connected_at);
  if (!lease_->reused && lease_->tls_at != 0) exchange_.timing.tls = since_start(lease_->tls_at);
}

// None of the backend's endpoints is fit for a request, and one of the fallback's is.
bool Relay::is_known_to_be_down() const noexcept {
  const MonotonicNs now = coarse_now();
  const auto any_fit = [&](std::size_t backend) {
    for (std::size_t i = 0; i < worker_.settings.backends[backend].endpoints.size(); ++i)
      if (worker_.fleet.health.of(backend, i).available(now)) return true;
    return false;
  };
  return !any_fit(exchange_.decision.backend) &&
         any_fit(static_cast<std::size_t>(exchange_.decision.fallback));
}

void Relay::fall_back(FallbackReason why) noexcept {
  routing::Decision& decision = exchange_.decision;
  ++worker_.counters.fallbacks[decision.route->index][static_cast<std::size_t>(why)];
  exchange_.fallback_from = worker_.settings.backends[decision.backend].name;
  decision.backend = static_cast<std::uint32_t>(decision.fallback);
  decision.fallback = -1;
  take_timeouts();
  if (exchange_.shadow && exchange_.shadow->backend(Kind::shadow) == decision.backend)
    exchange_.skip_shadow(ShadowResult::skipped_same_backend);
}

}  // namespace segue::gateway
