#include "gateway/upstream.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/errc.hpp>

#include "exchange/ensure.hpp"
#include "runtime/await.hpp"

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

std::optional<runtime::TlsContext> make_tls(const BackendSettings& settings) {
  if (!settings.tls) return std::nullopt;
  const TlsClientSettings& tls = *settings.tls;
  return runtime::TlsContext::client(tls.ca_file, tls.certificate_file, tls.key_file,
                                     tls.server_name);
}

}  // namespace

// A request that waits for a connection; lives in the frame of wait_for_slot().
struct Upstream::Waiter {
  Waiter(runtime::Core& core, Upstream& owner)
      : upstream(owner),
        deadline(core.wheel(), [](void* self) { static_cast<Waiter*>(self)->end(false); }, this) {}

  // Resumes from the event loop, so that whoever frees a slot is not re-entered.
  void end(bool with_slot) {
    deadline.disarm();
    got_slot = with_slot;
    std::erase(upstream.waiting_, this);
    --upstream.counts_.pending;
    upstream.core_.post([waiter = resume] { waiter.resume(); });
  }

  Upstream& upstream;
  runtime::Deadline deadline;
  std::coroutine_handle<> resume;
  bool got_slot = false;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { resume = handle; }
  bool await_resume() const noexcept { return got_slot; }
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

Upstream::Upstream(runtime::Core& core, runtime::BufferPool& pool, const BackendSettings& settings,
                   unsigned shares, BackendCounts& counts)
    : core_(core),
      pool_(pool),
      settings_(settings),
      counts_(counts),
      max_connections_(share(settings.max_connections, shares)),
      max_pending_(share(settings.max_pending, shares)),
      max_idle_(share(settings.max_idle, shares)),
      tls_(make_tls(settings)),
      next_endpoint_(core.index()),
      sweep_(core.wheel(), [](void* self) { static_cast<Upstream*>(self)->drop_expired(); }, this) {
  for (const EndpointSettings& configured : settings.endpoints) {
    auto endpoint = std::make_unique<Endpoint>();
    const bool ipv6 = configured.host.find(':') != std::string::npos;
    endpoint->name = (ipv6 ? "[" + configured.host + "]" : configured.host) + ":" +
                     std::to_string(configured.port);
    endpoint->host = configured.host;
    endpoint->port = configured.port;
    error_code not_literal;
    const auto address = boost::asio::ip::make_address(configured.host, not_literal);
    endpoint->literal = !not_literal;
    if (endpoint->literal) endpoint->addresses.emplace_back(address, configured.port);
    endpoints_.push_back(std::move(endpoint));
  }
}

Upstream::~Upstream() { ensure(waiting_.empty(), "nobody waits for a backend that goes"); }

void Upstream::abort() noexcept {
  for (auto& connection : idle_) {
    connection.reset();
    --open_;
  }
  idle_.clear();
  counts_.idle = 0;
  counts_.open = open_;
  while (!waiting_.empty()) waiting_.front()->end(false);
  for (UpstreamConnection* connection : connecting_) connection->stream.cancel();
}

Task<Result<UpstreamLease>> Upstream::acquire(Reuse reuse, MonotonicNs expiry) {
  if (auto connection = take_idle(reuse)) {
    ++counts_.reused;
    connection->reused = true;
    co_return UpstreamLease(*this, std::move(connection));
  }
  while (open_ >= max_connections_) {
    if (!idle_.empty()) {  // one that may not be reused makes room
      idle_.erase(idle_.begin());
      counts_.idle = idle_.size();
      closed();
      continue;
    }
    if (waiting_.size() >= max_pending_)
      co_return upstream_error(make_error_code(errors::no_buffer_space),
                               "waiting for a connection: too many requests wait");
    const bool woken = co_await wait_for_slot(expiry);
    if (!woken)
      co_return upstream_error(make_error_code(errors::timed_out), "waiting for a connection");
    if (auto connection = take_idle(reuse)) {
      ++counts_.reused;
      connection->reused = true;
      co_return UpstreamLease(*this, std::move(connection));
    }
  }
  co_return co_await connect(expiry);
}

std::unique_ptr<UpstreamConnection> Upstream::take_idle(Reuse reuse) {
  if (reuse == Reuse::fresh) return nullptr;
  const MonotonicNs now = monotonic_now();
  while (!idle_.empty()) {
    UpstreamConnection& newest = *idle_.back();
    const auto limit = reuse == Reuse::recent ? std::min(kRecent, newest.idle_time) : newest.idle_time;
    const bool young = now < runtime::after(newest.idle_since, limit);
    if (!young && reuse == Reuse::recent) return nullptr;  // good enough for a safe request
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    counts_.idle = idle_.size();
    if (young && connection->stream.quiet()) return connection;
    connection.reset();
    closed();
  }
  return nullptr;
}

Task<bool> Upstream::wait_for_slot(MonotonicNs expiry) {
  Waiter waiter(core_, *this);
  waiting_.push_back(&waiter);
  ++counts_.pending;
  waiter.deadline.arm(expiry);
  co_return co_await waiter;
}

Task<error_code> Upstream::resolve(Endpoint& endpoint) {
  const MonotonicNs now = monotonic_now();
  const bool known = !endpoint.addresses.empty();
  if (endpoint.literal || (known && now < runtime::after(endpoint.resolved_at, kResolveAgain)))
    co_return error_code();
  using Answer = std::pair<error_code, tcp::resolver::results_type>;
  boost::asio::ip::basic_resolver<tcp, runtime::Executor> resolver(core_.executor());
  auto start = [&](auto done) {
    resolver.async_resolve(endpoint.host, std::to_string(endpoint.port),
                           [done = std::move(done)](error_code ec, auto results) mutable {
                             done(Answer(ec, std::move(results)));
                           });
  };
  runtime::Completion<decltype(start), Answer> resolving(start);
  const Answer answer = co_await resolving;
  if (answer.first) co_return known ? error_code() : answer.first;  // an old answer serves on
  endpoint.addresses.clear();
  for (const auto& entry : answer.second) endpoint.addresses.push_back(entry.endpoint());
  endpoint.resolved_at = monotonic_now();
  co_return error_code();
}

Task<Result<UpstreamLease>> Upstream::connect(MonotonicNs expiry) {
  ++open_;
  counts_.open = open_;
  ++counts_.connects;
  Endpoint& endpoint = *endpoints_[next_endpoint_++ % endpoints_.size()];
  UpstreamLease lease(*this, std::make_unique<UpstreamConnection>(core_, pool_, endpoint));
  const MonotonicNs start = monotonic_now();
  const auto limit = settings_.timeouts.connect;
  const MonotonicNs until = limit ? std::min(expiry, runtime::after(start, *limit)) : expiry;

  error_code ec = co_await resolve(endpoint);
  if (ec) {
    ++counts_.connect_failures;
    co_return upstream_error(ec, "resolving the backend's name");
  }
  const tcp::endpoint address = endpoint.addresses[endpoint.next_address++ % endpoint.addresses.size()];
  const runtime::Stream::Socket::endpoint_type peer(address);
  connecting_.push_back(&*lease);
  ec = co_await lease->stream.connect(peer, until);
  if (!ec && tls_) {
    ec = co_await lease->stream.handshake(*tls_, until);
    lease->tls_ns = monotonic_now() - start;
  }
  std::erase(connecting_, &*lease);
  if (ec) {
    ++counts_.connect_failures;
    co_return upstream_error(ec, "connecting to the backend");
  }
  boost::system::error_code ignored;  // without it small requests are slower, not wrong
  lease->stream.socket().set_option(tcp::no_delay(true), ignored);
  lease->connect_ns = monotonic_now() - start;
  lease->idle_time = settings_.idle_time;
  co_return std::move(lease);
}

void Upstream::give_back(std::unique_ptr<UpstreamConnection> connection) {
  connection->buffer.release();
  if (idle_.size() >= max_idle_ || connection->idle_time.count() == 0) {
    connection.reset();
    return closed();
  }
  connection->idle_since = monotonic_now();
  idle_.push_back(std::move(connection));
  counts_.idle = idle_.size();
  if (!sweep_.armed()) sweep_.arm(runtime::after(monotonic_now(), kSweep));
  wake_one();
}

void Upstream::closed() noexcept {
  --open_;
  counts_.open = open_;
  wake_one();
}

void Upstream::wake_one() noexcept {
  if (!waiting_.empty()) waiting_.front()->end(true);
}

void Upstream::drop_expired() noexcept {
  const MonotonicNs now = monotonic_now();
  const std::size_t before = idle_.size();
  std::erase_if(idle_, [now](const auto& connection) {
    return now >= runtime::after(connection->idle_since, connection->idle_time);
  });
  counts_.idle = idle_.size();
  for (std::size_t gone = before - idle_.size(); gone != 0; --gone) closed();
  if (!idle_.empty()) sweep_.arm(runtime::after(now, kSweep));
}

}  // namespace segue::gateway
