#include "gateway/upstream/health_check.hpp"

#include <fmt/format.h>

#include <boost/asio/error.hpp>
#include <new>

#include "gateway/upstream/health_answer.hpp"
#include "gateway/upstream/shortage.hpp"

namespace segue::gateway {

using boost::system::error_code;
using runtime::after;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

HealthCheck::HealthCheck(const Means& means, std::string request, unsigned seed)
    : means_(means),
      settings_(*means.backend.health),
      endpoint_name_(name_of(means.endpoint)),
      request_(std::move(request)),
      addresses_(means.endpoint, means.name),
      random_(seed) {}

void HealthCheck::stop() noexcept {
  stopped_ = true;
  if (stream_) stream_->cancel();
  if (nap_ != nullptr) std::exchange(nap_, nullptr)->end();
}

Task<void> HealthCheck::wait_until(MonotonicNs moment) {
  if (stopped_) co_return;
  runtime::Pause nap(means_.core, moment);
  nap_ = &nap;
  co_await nap;
  nap_ = nullptr;
}

std::chrono::nanoseconds HealthCheck::interval() {
  std::uniform_int_distribution<int> percent(100 - kJitterPercent, 100 + kJitterPercent);
  return std::chrono::nanoseconds(settings_.interval) / 100 * percent(random_);
}

Task<void> HealthCheck::run() {
  while (!stopped_) {
    const MonotonicNs next = monotonic_now() + interval().count();
    try {
      const std::optional<Finding> finding = co_await check();
      if (finding && !stopped_) judge(*finding);
    } catch (const std::bad_alloc&) {  // that says nothing of the endpoint
      stream_.reset();
    }
    co_await wait_until(next);
  }
}

Task<std::optional<HealthCheck::Finding>> HealthCheck::check() {
  const MonotonicNs expiry = after(monotonic_now(), settings_.timeout);
  stream_.emplace(means_.core);
  std::optional<Finding> finding;
  const error_code ec = co_await connect(expiry);
  if (!ec)
    finding = co_await ask(expiry);
  else if (ec == errors::timed_out)
    finding = late();
  else if (!is_of_this_side(ec))
    finding = Finding{CheckResult::unreachable, ec.message()};
  stream_->shutdown_send();
  stream_->close();
  stream_.reset();
  co_return finding;
}

Task<error_code> HealthCheck::resolve(MonotonicNs expiry) {
  for (;;) {
    if (addresses_.outdated()) addresses_.renew();
    if (!addresses_.empty()) co_return error_code();
    const auto why = addresses_.failure();
    if (why) co_return *why ? *why : make_error_code(errors::host_not_found);
    const MonotonicNs now = monotonic_now();
    if (now >= expiry) co_return make_error_code(errors::timed_out);
    if (stopped_) co_return make_error_code(errors::operation_aborted);
    co_await wait_until(now + runtime::DeadlineWheel::kTick);
  }
}

// One address after the other until one takes the connection, as for requests.
Task<error_code> HealthCheck::connect(MonotonicNs expiry) {
  error_code ec = co_await resolve(expiry);
  if (ec) co_return ec;
  const auto peers = addresses_.in_turn(monotonic_now());
  ec = errors::host_not_found;
  for (const EndpointAddresses::Address& peer : peers) {
    ec = co_await stream_->connect(peer, expiry);
    if (ec) addresses_.failed(peer, monotonic_now());
    if (!ec || ec == errors::timed_out || stopped_) break;
    stream_->close();
  }
  if (ec || stopped_ || !means_.tls) co_return ec;
  co_return co_await stream_->handshake(*means_.tls, expiry);
}

// A failed write is not the end: the endpoint may have answered before it closed.
Task<HealthCheck::Finding> HealthCheck::ask(MonotonicNs expiry) {
  std::string request = request_;
  iovec piece{request.data(), request.size()};
  const std::span<iovec> pieces(&piece, 1);
  if (!stopped_) co_await stream_->write(pieces, runtime::kNever, expiry);
  HealthAnswer answer(means_.limits, kMostBody);
  runtime::Buffer in(means_.buffers);
  auto state = HealthAnswer::State::more;
  while (state == HealthAnswer::State::more && !stopped_) {
    in.reserve(std::max(means_.limits.head_bytes, kMostBody));
    const Transfer got = co_await stream_->read_some(in.writable(), expiry);
    if (got.ec == errors::timed_out) co_return late();
    in.commit(got.bytes);
    state = got.bytes == 0 ? answer.end() : answer.take(in);
  }
  Finding finding;
  if (state == HealthAnswer::State::damaged) {
    finding.result = CheckResult::broken;
    if (answer.damage() != nullptr)
      finding.why = fmt::format("its answer is no valid HTTP/1.1: {}", answer.damage());
    else if (answer.status() != 0)
      finding.why = "it closed the connection in the middle of its answer";
    else
      finding.why = "it closed the connection without an answer";
  } else if (answer.status() >= 400) {
    finding = {CheckResult::status, fmt::format("it answered {}", answer.status())};
  }
  co_return finding;
}

HealthCheck::Finding HealthCheck::late() const {
  return {CheckResult::timeout, fmt::format("no answer within {} ms", settings_.timeout.count())};
}

void HealthCheck::judge(const Finding& finding) {
  ++means_.counts[static_cast<std::size_t>(finding.result)];
  const bool well = finding.result == CheckResult::passed;
  passed_ = well ? passed_ + 1 : 0;
  failed_ = well ? 0 : failed_ + 1;
  if (well && !means_.verdict.checked() && passed_ >= settings_.healthy_after) {
    means_.verdict.set_checked(true);
    tell("is healthy again", fmt::format("{} checks passed", passed_));
  } else if (!well && means_.verdict.checked() && failed_ >= settings_.unhealthy_after) {
    means_.verdict.set_checked(false);
    tell("is unhealthy", fmt::format("{} checks failed, the last one: {}", failed_, finding.why));
  }
}

void HealthCheck::tell(std::string_view what, const std::string& why) {
  means_.notices.tell(
      fmt::format("backend {}: {} {}: {}", means_.backend.name, endpoint_name_, what, why));
}

}  // namespace segue::gateway
