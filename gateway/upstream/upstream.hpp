#pragma once

#include <boost/system/result.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "exchange/error.hpp"
#include "gateway/counters.hpp"
#include "gateway/settings.hpp"
#include "gateway/upstream/endpoint.hpp"
#include "gateway/upstream/endpoint_choice.hpp"
#include "gateway/upstream/endpoint_fleet.hpp"
#include "runtime/task.hpp"

namespace segue::gateway {

class Upstream;

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

// Why there is no connection. at_fault is upstream; `doing` says what failed; the code is timed_out
// when a limit of time passed, no_buffer_space without an endpoint when too many requests wait.
// Nothing was sent.
struct NoConnection : Error {
  const Endpoint* endpoint = nullptr;  // which could not be reached; null: it did not come to that
};
using Acquired = boost::system::result<UpstreamLease, NoConnection>;

// Which pooled connections an exchange may have. A request that must not be sent twice takes one
// that was used a moment ago, or a fresh one; a retry takes a fresh one.
enum class Reuse : std::uint8_t { any, recent, fresh };

// The place of an Upstream in the whole: which backend it is for, and what is known of that.
struct UpstreamPlace {
  Fleet& fleet;
  std::size_t backend = 0;  // its index
  unsigned shares = 1;      // among how many cores the limits are divided
  Verdicts verdicts = Verdicts::given;
};

// The connections of one core to one backend: idle ones, limits, requests that wait for a
// connection. One thread. Limits are for each endpoint; a request waits only when all endpoints that
// it may go to are at theirs, and who waits is served first come, first served; a retry that
// avoids the one with room keeps nobody else from it.
class Upstream {
 public:
  static constexpr std::chrono::milliseconds kResolveLimit{5'000};  // for the first answer
  static constexpr std::chrono::milliseconds kRecent{1000};

  // `counts` and everything else must outlive it. `tls` none: plain; what it holds may be replaced
  // at any time, for connections to come.
  Upstream(runtime::Core& core, runtime::BufferPool& pool, const BackendSettings& settings,
           const std::optional<runtime::TlsContext>& tls, BackendCounts& counts,
           const UpstreamPlace& place);
  ~Upstream();

  // `avoid`: the endpoints that failed this request before, alive until this ends; another one gets
  // it where another one is available. A failure to connect has been reported as failed() when this
  // ends, but for one that lies on this side (shortage.hpp) and one that `expiry` cut short before the endpoint had `fair` nanoseconds, or half of
  // `timeouts.connect`: that says nothing of it, and the error names no endpoint.
  runtime::Task<Acquired> acquire(Reuse reuse, runtime::MonotonicNs expiry,
                                  Avoided avoid = {}, runtime::MonotonicNs fair = 0);

  // What became of a request on this connection, for the endpoint's fitness: its answer's head came,
  // whatever the status; or it was reset before that, or did not answer in time. What was the
  // client's doing, and a pooled connection that had gone stale, are neither.
  void answered(const UpstreamConnection& connection) noexcept;
  void failed(const UpstreamConnection& connection) noexcept;

  const BackendSettings& settings() const noexcept { return settings_; }
  BackendCounts& counts() noexcept { return counts_; }
  // Closes what is idle, ends what waits for a connection or connects.
  void abort() noexcept;

 private:
  friend class UpstreamLease;
  struct Queued;
  class Connecting;
  using Choice = EndpointChoice::Choice;

  std::unique_ptr<UpstreamConnection> take_idle(Endpoint& endpoint, Reuse reuse,
                                                runtime::MonotonicNs now);
  // The one that has idled longest.
  void close_one_idle(Endpoint& endpoint) noexcept;
  // Closes idle connections to addresses that the endpoint's name does not stand for any more.
  void renew_addresses(Endpoint& endpoint);
  bool leads_nowhere(UpstreamConnection& connection);
  template <class Which>
  void close_idle_if(Endpoint& endpoint, Which which);

  // upstream_connect.cpp
  runtime::Task<Acquired> connect(const Choice& choice, runtime::MonotonicNs expiry,
                                  runtime::MonotonicNs fair);
  runtime::Task<boost::system::error_code> connect_to(UpstreamConnection& connection,
                                                      runtime::MonotonicNs expiry);
  runtime::Task<boost::system::error_code> connect_socket(UpstreamConnection& connection,
                                                          runtime::MonotonicNs expiry);
  runtime::Task<boost::system::error_code> resolve(Endpoint& endpoint, runtime::MonotonicNs expiry);

  // Waits for room; no endpoint: in vain.
  runtime::Task<Choice> wait_for_room(Avoided avoid, runtime::MonotonicNs expiry);
  void give_back(std::unique_ptr<UpstreamConnection> connection);
  void closed(Endpoint& endpoint) noexcept;
  // Somebody waits who would take any endpoint: who comes now stands behind. Not so with one who
  // may be waiting only because of what is avoided.
  bool keeps_others_waiting() const noexcept;
  void wake_those_with_room() noexcept;
  void sweep() noexcept;

  runtime::Core& core_;
  runtime::BufferPool& pool_;
  const BackendSettings& settings_;
  BackendCounts& counts_;
  std::size_t max_connections_;  // to each endpoint
  std::size_t max_pending_;
  std::size_t max_idle_;  // to each endpoint
  Verdicts verdicts_;
  const std::optional<runtime::TlsContext>& tls_;
  EndpointChoice::Endpoints endpoints_;
  EndpointChoice choice_;
  std::deque<Queued*> waiting_;
  std::vector<UpstreamConnection*> connecting_;
  bool aborted_ = false;
  runtime::Deadline sweep_;
};

}  // namespace segue::gateway
