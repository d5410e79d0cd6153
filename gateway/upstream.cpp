#include "gateway/upstream.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/errc.hpp>

#include "exchange/ensure.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {
namespace {

using boost::system::error_code;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
namespace errors = boost::asio::error;
using tcp = boost::asio::ip::tcp;

constexpr std::chrono::milliseconds kSweep{1000};  // how often idle connections are looked at

std::size_t share(std::uint64_t total, unsigned shares) {
  return static_cast<std::size_t>(std::max<std::uint64_t>(1, total / shares));
}

Error upstream_error(error_code code, const char* doing) {
  return Error{code, Party::upstream, Retry::safe, doing};
}

// Who reads the record of an attempt wants to know whether the network or a certificate is at
// fault.
const char* name_of_step(const error_code& failed) noexcept {
  const bool tls = failed.category() == runtime::tls_category() ||
                   failed.category() == runtime::certificate_category();
  return tls ? "TLS with the backend" : "connecting to the backend";
}

}  // namespace

// A request that waits for a connection; lives in the frame of wait_for_slot().
struct Upstream::Queued : runtime::Waiter {
  Queued(runtime::Core& core, Upstream& owner)
      : runtime::Waiter(
            [](runtime::Waiter& self, error_code) { static_cast<Queued&>(self).resume.resume(); }),
        upstream(owner),
        deadline(
            core.wheel(), [](void* self) { static_cast<Queued*>(self)->end(Outcome::gave_up); },
            this) {}

  enum class Outcome : std::uint8_t { gave_up, slot };

  // Resumes from the event loop, so that whoever frees a slot is not re-entered.
  void end(Outcome how) {
    deadline.disarm();
    outcome = how;
    if (how == Outcome::slot) ++upstream.granted_;
    std::erase(upstream.waiting_, this);
    --upstream.counts_.pending;
    upstream.core_.wake_later(*this, {});
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { resume = handle; }
  Outcome await_resume() const noexcept { return outcome; }

  Upstream& upstream;
  runtime::Deadline deadline;
  std::coroutine_handle<> resume;
  Outcome outcome = Outcome::gave_up;
};

// Known to abort() while it connects.
class Upstream::Connecting {
 public:
  Connecting(Upstream& upstream, UpstreamConnection& connection)
      : upstream_(upstream), connection_(connection) {
    upstream_.connecting_.push_back(&connection_);
  }
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;
  ~Connecting() { std::erase(upstream_.connecting_, &connection_); }

 private:
  Upstream& upstream_;
  UpstreamConnection& connection_;
};

UpstreamLease& UpstreamLease::operator=(UpstreamLease&& other) noexcept {
  if (this == &other) return *this;
  discard();
  upstream_ = other.upstream_;
  connection_ = std::move(other.connection_);
  return *this;
}

void UpstreamLease::give_back() {
  if (connection_ != nullptr) upstream_->give_back(std::move(connection_));
}

void UpstreamLease::discard() noexcept {
  if (connection_ == nullptr) return;
  connection_.reset();
  upstream_->closed();
}

Endpoint::Endpoint(const EndpointSettings& settings) : host(settings.host), port(settings.port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  name = (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  error_code not_literal;
  const auto address = boost::asio::ip::make_address(host, not_literal);
  literal = !not_literal;
  if (literal) addresses.emplace_back(address, port);
}

Endpoint::~Endpoint() = default;

Upstream::Upstream(runtime::Core& core, runtime::BufferPool& pool, const BackendSettings& settings,
                   const std::optional<runtime::TlsContext>& tls, unsigned shares,
                   BackendCounts& counts, runtime::Executor names)
    : core_(core),
      pool_(pool),
      settings_(settings),
      counts_(counts),
      max_connections_(share(settings.max_connections, shares)),
      max_pending_(share(settings.max_pending, shares)),
      max_idle_(share(settings.max_idle, shares)),
      tls_(tls),
      turn_(core.index()),
      resolver_(names),
      sweep_(core.wheel(), [](void* self) { static_cast<Upstream*>(self)->drop_expired(); }, this) {
  for (const EndpointSettings& endpoint : settings.endpoints)
    endpoints_.push_back(std::make_unique<Endpoint>(endpoint));
}

Upstream::~Upstream() {
  ensure(waiting_.empty(), "nobody waits for a backend that goes");
}

void Upstream::abort() noexcept {
  aborted_ = true;
  while (close_one_idle()) {
  }
  while (!waiting_.empty()) waiting_.front()->end(Queued::Outcome::gave_up);
  for (UpstreamConnection* connection : connecting_) connection->stream.cancel();
}

// First come, first served: who comes while others wait, or are on their way to what they were
// woken for, waits too.
Task<Result<UpstreamLease>> Upstream::acquire(Reuse reuse, MonotonicNs expiry) {
  Endpoint& endpoint = next_endpoint();
  bool may_take = waiting_.empty() && (granted_ == 0 || idle_ > granted_);
  if (may_take) {
    if (auto connection = take_idle(endpoint, reuse))
      co_return UpstreamLease(*this, std::move(connection));
  }
  may_take = may_take || open_ + granted_ < max_connections_;
  while (!may_take || open_ >= max_connections_) {
    if (may_take) {
      if (auto connection = take_any_idle(reuse))
        co_return UpstreamLease(*this, std::move(connection));
      if (close_one_idle()) continue;  // one that may not be reused makes room
    }
    if (waiting_.size() >= max_pending_)
      co_return upstream_error(make_error_code(errors::no_buffer_space),
                               "waiting for a connection: too many requests wait");
    may_take = co_await wait_for_slot(expiry);
    if (!may_take)
      co_return upstream_error(make_error_code(errors::timed_out), "waiting for a connection");
  }
  co_return co_await connect(endpoint, expiry);
}

std::unique_ptr<UpstreamConnection> Upstream::take_any_idle(Reuse reuse) {
  for (std::size_t i = 0; i < endpoints_.size(); ++i)
    if (auto connection = take_idle(next_endpoint(), reuse)) return connection;
  return nullptr;
}

std::unique_ptr<UpstreamConnection> Upstream::take_idle(Endpoint& endpoint, Reuse reuse) {
  if (reuse == Reuse::fresh) return nullptr;
  const MonotonicNs now = runtime::coarse_now();
  while (!endpoint.idle.empty()) {
    UpstreamConnection& newest = *endpoint.idle.back();
    const auto limit =
        reuse == Reuse::recent ? std::min(kRecent, newest.idle_time) : newest.idle_time;
    const bool young = now < runtime::after(newest.idle_since, limit);
    if (!young && reuse == Reuse::recent) return nullptr;  // good enough for a safe request
    auto connection = std::move(endpoint.idle.back());
    endpoint.idle.pop_back();
    counts_.idle = --idle_;
    // What cannot be sent again is worth a system call; the rest is, if need be.
    const auto how =
        reuse == Reuse::recent ? runtime::Stream::Quiet::asked : runtime::Stream::Quiet::heard;
    if (young && connection->stream.quiet(how)) {
      ++counts_.reused;
      connection->reused = true;
      return connection;
    }
    connection.reset();
    closed();
  }
  return nullptr;
}

bool Upstream::close_one_idle() noexcept {
  Endpoint* oldest = nullptr;
  for (const auto& endpoint : endpoints_)
    if (!endpoint->idle.empty() && (oldest == nullptr || endpoint->idle.front()->idle_since <
                                                             oldest->idle.front()->idle_since))
      oldest = endpoint.get();
  if (oldest == nullptr) return false;
  oldest->idle.erase(oldest->idle.begin());
  counts_.idle = --idle_;
  closed();
  return true;
}

Task<bool> Upstream::wait_for_slot(MonotonicNs expiry) {
  Queued queued(core_, *this);
  waiting_.push_back(&queued);
  ++counts_.pending;
  queued.deadline.arm(expiry);
  const Queued::Outcome outcome = co_await queued;
  if (outcome == Queued::Outcome::slot) --granted_;
  co_return outcome == Queued::Outcome::slot;
}

void Upstream::take_resolved() {
  const runtime::Executor names = resolver_.get_executor();
  if (names == core_.executor()) return;  // the core does
  names.context().restart();
  names.context().poll();
}

void Upstream::refresh(Endpoint& endpoint) {
  take_resolved();
  if (endpoint.literal || endpoint.resolving || monotonic_now() < endpoint.resolve_again) return;
  endpoint.resolving = true;
  resolver_.async_resolve(endpoint.host, std::to_string(endpoint.port),
                          [&endpoint](error_code ec, const tcp::resolver::results_type& results) {
                            endpoint.resolving = false;
                            endpoint.resolve_error = ec;
                            endpoint.resolve_again =
                                runtime::after(monotonic_now(), ec ? kSweep : kResolveAgain);
                            if (ec) return;
                            endpoint.addresses.clear();
                            for (const auto& entry : results)
                              endpoint.addresses.push_back(entry.endpoint());
                          });
}

Task<error_code> Upstream::resolve(Endpoint& endpoint, MonotonicNs expiry) {
  refresh(endpoint);
  while (endpoint.addresses.empty()) {
    if (!endpoint.resolving)
      co_return endpoint.resolve_error ? endpoint.resolve_error
                                       : make_error_code(errors::host_not_found);
    if (aborted_) co_return make_error_code(errors::operation_aborted);
    const MonotonicNs now = monotonic_now();
    if (now >= expiry) co_return make_error_code(errors::timed_out);
    runtime::Pause pause(core_, std::min(expiry, now + runtime::DeadlineWheel::kTick));
    co_await pause;
    take_resolved();
  }
  co_return error_code();
}

// One address after the other until one takes the connection: a name may stand for several, of
// which some do not listen (localhost: ::1 and 127.0.0.1).
Task<error_code> Upstream::connect_to(UpstreamConnection& connection, MonotonicNs expiry) {
  const std::vector<tcp::endpoint> addresses = connection.endpoint.addresses;
  const std::size_t first = connection.endpoint.next_address;
  error_code ec;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::size_t chosen = (first + i) % addresses.size();
    const runtime::Stream::Address peer(addresses[chosen]);
    ec = co_await connection.stream.connect(peer, expiry);
    if (!ec) connection.endpoint.next_address = chosen;  // the next one starts where it went well
    if (!ec || ec == errors::timed_out || ec == errors::operation_aborted) break;
    connection.stream.close();
  }
  if (ec) co_return ec;
  connection.stream.set_no_delay();
  connection.connected_at = monotonic_now();
  if (!tls_) co_return ec;
  ec = co_await connection.stream.handshake(*tls_, expiry);
  connection.tls_at = monotonic_now();
  co_return ec;
}

Task<Result<UpstreamLease>> Upstream::connect(Endpoint& endpoint, MonotonicNs expiry) {
  counts_.open = ++open_;
  ++counts_.connects;
  UpstreamLease lease(*this, std::make_unique<UpstreamConnection>(core_, pool_, endpoint));
  error_code ec =
      co_await resolve(endpoint, std::min(expiry, runtime::after(monotonic_now(), kResolveLimit)));
  if (ec) {
    ++counts_.connect_failures;
    co_return upstream_error(ec, "resolving the backend's name");
  }
  const auto limit = settings_.timeouts.connect;
  const MonotonicNs until =
      limit ? std::min(expiry, runtime::after(monotonic_now(), *limit)) : expiry;
  {
    const Connecting here(*this, *lease);
    ec = co_await connect_to(*lease, until);
  }
  if (ec) {
    ++counts_.connect_failures;
    co_return upstream_error(ec, name_of_step(ec));
  }
  lease->idle_time = settings_.idle_time;
  co_return std::move(lease);
}

void Upstream::give_back(std::unique_ptr<UpstreamConnection> connection) {
  connection->buffer.release();
  if (idle_ >= max_idle_ || connection->idle_time.count() == 0) {
    connection.reset();
    return closed();
  }
  connection->idle_since = runtime::coarse_now();
  Endpoint& endpoint = connection->endpoint;
  endpoint.idle.push_back(std::move(connection));
  counts_.idle = ++idle_;
  if (!sweep_.armed()) sweep_.arm(runtime::after(endpoint.idle.back()->idle_since, kSweep));
  wake_one();
}

void Upstream::closed() noexcept {
  --open_;
  counts_.open = open_;
  wake_one();
}

void Upstream::wake_one() noexcept {
  if (!waiting_.empty()) waiting_.front()->end(Queued::Outcome::slot);
}

void Upstream::drop_expired() noexcept {
  const MonotonicNs now = monotonic_now();
  for (const auto& endpoint : endpoints_) {
    const std::size_t gone = std::erase_if(endpoint->idle, [now](const auto& connection) {
      return now >= runtime::after(connection->idle_since, connection->idle_time) ||
             !connection->stream.quiet(runtime::Stream::Quiet::heard);
    });
    counts_.idle = idle_ -= gone;
    for (std::size_t i = 0; i < gone; ++i) closed();
  }
  if (idle_ != 0) sweep_.arm(runtime::after(now, kSweep));
}

}  // namespace segue::gateway
