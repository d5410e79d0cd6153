#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <coroutine>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "gateway/counters.hpp"
#include "gateway/settings.hpp"
#include "runtime/buffer.hpp"
#include "runtime/stream.hpp"

namespace segue::gateway {

class Upstream;

struct UpstreamConnection;

// One server of a backend, with its idle connections. A name is resolved again in the background
// when the last answer is older than Upstream::kResolveAgain; until then, and when that fails, the
// old answer serves.
struct Endpoint {
  explicit Endpoint(const EndpointSettings& settings);
  ~Endpoint();

  std::string name;  // "host:port", as configured
  std::string host;
  std::uint16_t port = 0;
  std::vector<boost::asio::ip::tcp::endpoint> addresses;
  std::size_t next_address = 0;
  bool literal = false;  // an IP address: never resolved
  bool resolving = false;
  boost::system::error_code resolve_error;                // of the last try
  runtime::MonotonicNs resolve_again = 0;                 // not before
  std::vector<std::unique_ptr<UpstreamConnection>> idle;  // last in, first out
};

// One connection to an endpoint, with what was received on it.
struct UpstreamConnection {
  UpstreamConnection(runtime::Core& core, runtime::BufferPool& pool, Endpoint& to)
      : stream(core), buffer(pool), endpoint(to) {}
  runtime::Stream stream;
  runtime::Buffer buffer;
  Endpoint& endpoint;
  bool reused = false;  // has served an exchange before
  runtime::MonotonicNs idle_since = 0;
  std::chrono::milliseconds idle_time{0};  // how long it may idle: ours or the server's
  runtime::MonotonicNs connected_at = 0;
  runtime::MonotonicNs tls_at = 0;  // handshake done; 0: plain
};

// A connection for one exchange. Destroyed without give_back(), it is closed.
class UpstreamLease {
 public:
  UpstreamLease() = default;
  UpstreamLease(Upstream& upstream, std::unique_ptr<UpstreamConnection> connection)
      : upstream_(&upstream), connection_(std::move(connection)) {}
  UpstreamLease(UpstreamLease&&) = default;
  UpstreamLease& operator=(UpstreamLease&& other) noexcept;
  ~UpstreamLease() { discard(); }

  explicit operator bool() const noexcept { return connection_ != nullptr; }
  UpstreamConnection* operator->() const noexcept { return connection_.get(); }
  UpstreamConnection& operator*() const noexcept { return *connection_; }

  // Only after a complete, well-framed exchange with nothing left to read.
  void give_back();
  void discard() noexcept;

 private:
  Upstream* upstream_ = nullptr;
  std::unique_ptr<UpstreamConnection> connection_;
};

// Which pooled connections an exchange may have. A request that must not be sent twice takes one
// that was used a moment ago, or a fresh one; a retry takes a fresh one.
enum class Reuse : std::uint8_t { any, recent, fresh };

// The connections of one core to one backend: idle ones, limits, requests that wait for a
// connection. One thread. Endpoints take turns, request by request.
class Upstream {
 public:
  static constexpr std::chrono::milliseconds kResolveAgain{5'000};
  static constexpr std::chrono::milliseconds kResolveLimit{5'000};  // for the first answer
  static constexpr std::chrono::milliseconds kRecent{1000};

  // `counts` and everything else must outlive it. `tls` none: plain; what it holds may be replaced
  // at any time, for connections to come. `shares`: among how many cores the limits are divided.
  // `names`: where names are resolved, one after the other; the core's own, or a context that
  // nobody runs, which is polled here.
  Upstream(runtime::Core& core, runtime::BufferPool& pool, const BackendSettings& settings,
           const std::optional<runtime::TlsContext>& tls, unsigned shares, BackendCounts& counts,
           runtime::Executor names);
  ~Upstream();

  // Errors carry at_fault upstream; doing says what failed: the code is timed_out when a limit of
  // time passed, no_buffer_space when too many requests wait.
  runtime::Task<Result<UpstreamLease>> acquire(Reuse reuse, runtime::MonotonicNs expiry);

  const BackendSettings& settings() const noexcept { return settings_; }
  BackendCounts& counts() noexcept { return counts_; }
  // Closes what is idle, ends what waits for a connection or connects.
  void abort() noexcept;

 private:
  friend class UpstreamLease;
  struct Queued;
  class Connecting;

  Endpoint& next_endpoint() noexcept { return *endpoints_[turn_++ % endpoints_.size()]; }
  std::unique_ptr<UpstreamConnection> take_idle(Endpoint& endpoint, Reuse reuse);
  std::unique_ptr<UpstreamConnection> take_any_idle(Reuse reuse);
  // Closes the connection that has idled longest; false: none idles.
  bool close_one_idle() noexcept;
  runtime::Task<Result<UpstreamLease>> connect(Endpoint& endpoint, runtime::MonotonicNs expiry);
  runtime::Task<boost::system::error_code> connect_to(UpstreamConnection& connection,
                                                      runtime::MonotonicNs expiry);
  void refresh(Endpoint& endpoint);
  void take_resolved();
  runtime::Task<boost::system::error_code> resolve(Endpoint& endpoint, runtime::MonotonicNs expiry);
  runtime::Task<bool> wait_for_slot(runtime::MonotonicNs expiry);
  void give_back(std::unique_ptr<UpstreamConnection> connection);
  void closed() noexcept;
  void wake_one() noexcept;
  void drop_expired() noexcept;

  runtime::Core& core_;
  runtime::BufferPool& pool_;
  const BackendSettings& settings_;
  BackendCounts& counts_;
  std::size_t max_connections_;
  std::size_t max_pending_;
  std::size_t max_idle_;
  const std::optional<runtime::TlsContext>& tls_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::size_t turn_;
  std::size_t idle_ = 0;
  std::deque<Queued*> waiting_;
  std::size_t granted_ = 0;  // woken and not there yet: what they were woken for is theirs
  std::vector<UpstreamConnection*> connecting_;
  std::size_t open_ = 0;  // leased, idle and connecting
  bool aborted_ = false;
  boost::asio::ip::basic_resolver<boost::asio::ip::tcp, runtime::Executor> resolver_;
  runtime::Deadline sweep_;
};

}  // namespace segue::gateway
