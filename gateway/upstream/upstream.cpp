#include "gateway/upstream/upstream.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>

#include "exchange/ensure.hpp"

namespace segue::gateway {
namespace {

using boost::system::error_code;
using runtime::coarse_now;
using runtime::MonotonicNs;
using runtime::Task;
namespace errors = boost::asio::error;

// How often idle connections are looked at, and whether there is room for those who wait.
constexpr std::chrono::milliseconds kSweep{1000};

// At least 1 for each core, but where none is wanted none.
std::size_t share(std::uint64_t total, unsigned shares) {
  return static_cast<std::size_t>(std::max(std::min<std::uint64_t>(1, total), total / shares));
}

NoConnection no_connection(errors::basic_errors code, const char* doing) {
  return {{make_error_code(code), Party::upstream, Retry::safe, doing}, nullptr};
}

EndpointChoice::Endpoints make_endpoints(const BackendSettings& settings,
                                         const UpstreamPlace& place) {
  EndpointChoice::Endpoints endpoints;
  for (std::size_t i = 0; i < settings.endpoints.size(); ++i)
    endpoints.push_back(std::make_unique<Endpoint>(settings.endpoints[i],
                                                   place.fleet.health.of(place.backend, i),
                                                   place.fleet.names.of(place.backend, i)));
  return endpoints;
}

}  // namespace

// A request that waits for a connection; lives in the frame of wait_for_room().
struct Upstream::Queued : runtime::Waiter {
  Queued(runtime::Core& core, Upstream& owner, Avoided not_to)
      : runtime::Waiter(
            [](runtime::Waiter& self, error_code) { static_cast<Queued&>(self).resume.resume(); }),
        upstream(owner),
        avoid(not_to),
        deadline(
            core.wheel(), [](void* self) { static_cast<Queued*>(self)->end({}); }, this) {}

  // Resumes from the event loop, so that whoever makes room is not re-entered. What it gets is its
  // own from here on.
  void end(const Choice& what) {
    deadline.disarm();
    choice = what;
    if (what.endpoint != nullptr) ++what.endpoint->reserved;
    std::erase(upstream.waiting_, this);
    --upstream.counts_.pending;
    upstream.core_.wake_later(*this, {});
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { resume = handle; }
  Choice await_resume() const noexcept { return choice; }

  Upstream& upstream;
  Avoided avoid;
  runtime::Deadline deadline;
  std::coroutine_handle<> resume;
  Choice choice;
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
  Endpoint& endpoint = connection_->endpoint;
  connection_.reset();
  upstream_->closed(endpoint);
}

Upstream::Upstream(runtime::Core& core, runtime::BufferPool& pool, const BackendSettings& settings,
                   const std::optional<runtime::TlsContext>& tls, BackendCounts& counts,
                   const UpstreamPlace& place)
    : core_(core),
      pool_(pool),
      settings_(settings),
      counts_(counts),
      max_connections_(share(settings.max_connections, place.shares)),
      max_pending_(share(settings.max_pending, place.shares) * settings.endpoints.size()),
      max_idle_(share(settings.max_idle, place.shares)),
      verdicts_(place.verdicts),
      tls_(tls),
      endpoints_(make_endpoints(settings, place)),
      choice_(settings, endpoints_, max_connections_, place.verdicts, core.index()),
      sweep_(core.wheel(), [](void* self) { static_cast<Upstream*>(self)->sweep(); }, this) {}

Upstream::~Upstream() {
  ensure(waiting_.empty(), "nobody waits for a backend that goes");
}

void Upstream::abort() noexcept {
  aborted_ = true;
  for (const auto& endpoint : endpoints_)
    while (!endpoint->idle.empty()) close_one_idle(*endpoint);
  while (!waiting_.empty()) waiting_.front()->end({});
  for (UpstreamConnection* connection : connecting_) connection->stream.cancel();
}

void Upstream::answered(const UpstreamConnection& connection) noexcept {
  if (verdicts_ == Verdicts::given) connection.endpoint.health.answered();
}

void Upstream::failed(const UpstreamConnection& connection) noexcept {
  if (verdicts_ == Verdicts::given)
    connection.endpoint.health.failed(runtime::monotonic_now(), settings_.ejection,
                                      connection.admitted);
}

// Who comes while others wait, waits too; what those were woken for is reserved for them.
Task<Acquired> Upstream::acquire(Reuse reuse, MonotonicNs expiry, Avoided avoid,
                                 MonotonicNs fair) {
  Choice choice;
  MonotonicNs now = coarse_now();
  if (!keeps_others_waiting()) choice = choice_.next(avoid, now);
  if (choice.endpoint == nullptr) {
    if (waiting_.size() >= max_pending_)
      co_return no_connection(errors::no_buffer_space,
                              "waiting for a connection: too many requests wait");
    choice = co_await wait_for_room(avoid, expiry);
    if (choice.endpoint == nullptr)
      co_return no_connection(errors::timed_out, "waiting for a connection");
    --choice.endpoint->reserved;
    now = coarse_now();
  }
  counts_.unavailable += choice.none_available;
  Endpoint& endpoint = *choice.endpoint;
  if (auto connection = take_idle(endpoint, reuse, now)) {
    connection->admitted = choice.admitted;
    co_return UpstreamLease(*this, std::move(connection));
  }
  // There is room, so one of them is idle, and may not be reused: it makes way.
  if (endpoint.open >= max_connections_) close_one_idle(endpoint);
  co_return co_await connect(choice, expiry, fair);
}

std::unique_ptr<UpstreamConnection> Upstream::take_idle(Endpoint& endpoint, Reuse reuse,
                                                        MonotonicNs now) {
  if (endpoint.addresses.outdated()) renew_addresses(endpoint);
  if (reuse == Reuse::fresh) return nullptr;
  while (!endpoint.idle.empty()) {
    UpstreamConnection& newest = *endpoint.idle.back();
    const auto limit =
        reuse == Reuse::recent ? std::min(kRecent, newest.idle_time) : newest.idle_time;
    const bool young = now < runtime::after(newest.idle_since, limit);
    if (!young && reuse == Reuse::recent) return nullptr;  // good enough for a safe request
    auto connection = std::move(endpoint.idle.back());
    endpoint.idle.pop_back();
    --counts_.idle;
    // What cannot be sent again is worth a system call; the rest is, if need be.
    const auto how =
        reuse == Reuse::recent ? runtime::Stream::Quiet::asked : runtime::Stream::Quiet::heard;
    if (young && connection->stream.quiet(how)) {
      ++counts_.reused;
      connection->reused = true;
      return connection;
    }
    connection.reset();
    --endpoint.open;
    --counts_.open;
  }
  return nullptr;
}

template <class Which>
void Upstream::close_idle_if(Endpoint& endpoint, Which which) {
  const std::size_t gone = std::erase_if(endpoint.idle, which);
  endpoint.open -= gone;
  counts_.idle -= gone;
  counts_.open -= gone;
}

void Upstream::close_one_idle(Endpoint& endpoint) noexcept {
  ensure(!endpoint.idle.empty(), "an endpoint with room has an idle connection, or few");
  endpoint.idle.erase(endpoint.idle.begin());
  --endpoint.open;
  --counts_.idle;
  --counts_.open;
}

void Upstream::renew_addresses(Endpoint& endpoint) {
  endpoint.addresses.renew();
  close_idle_if(endpoint, [&](const auto& connection) { return leads_nowhere(*connection); });
}

bool Upstream::leads_nowhere(UpstreamConnection& connection) {
  const EndpointAddresses& addresses = connection.endpoint.addresses;
  if (connection.known_since == addresses.version()) return false;
  if (!addresses.contains(connection.peer)) return true;
  connection.known_since = addresses.version();
  return false;
}

Task<Upstream::Choice> Upstream::wait_for_room(Avoided avoid, MonotonicNs expiry) {
  Queued queued(core_, *this, avoid);
  waiting_.push_back(&queued);
  ++counts_.pending;
  queued.deadline.arm(expiry);
  if (!sweep_.armed()) sweep_.arm(runtime::after(coarse_now(), kSweep));
  wake_those_with_room();  // an endpoint may have become available since the first one came
  co_return co_await queued;
}

bool Upstream::keeps_others_waiting() const noexcept {
  return std::ranges::any_of(waiting_, [](const Queued* each) { return each->avoid.empty(); });
}

void Upstream::wake_those_with_room() noexcept {
  for (std::size_t i = 0; i < waiting_.size();) {
    Queued& each = *waiting_[i];
    const Choice choice = choice_.next(each.avoid, coarse_now());
    if (choice.endpoint != nullptr)
      each.end(choice);  // and its place is that of the next one
    else if (each.avoid.empty())
      return;
    else
      ++i;
  }
}

void Upstream::give_back(std::unique_ptr<UpstreamConnection> connection) {
  Endpoint& endpoint = connection->endpoint;
  connection->buffer.release();
  if (endpoint.addresses.outdated()) renew_addresses(endpoint);
  if (endpoint.idle.size() >= max_idle_ || connection->idle_time.count() == 0 ||
      leads_nowhere(*connection)) {
    connection.reset();
    return closed(endpoint);
  }
  connection->idle_since = coarse_now();
  if (!sweep_.armed()) sweep_.arm(runtime::after(connection->idle_since, kSweep));
  endpoint.idle.push_back(std::move(connection));
  ++counts_.idle;
  if (!waiting_.empty()) wake_those_with_room();
}

void Upstream::closed(Endpoint& endpoint) noexcept {
  --endpoint.open;
  --counts_.open;
  if (!waiting_.empty()) wake_those_with_room();
}

void Upstream::sweep() noexcept {
  const MonotonicNs now = runtime::monotonic_now();
  for (const auto& endpoint : endpoints_) {
    if (endpoint->addresses.outdated()) renew_addresses(*endpoint);
    close_idle_if(*endpoint, [now](const auto& connection) {
      return now >= runtime::after(connection->idle_since, connection->idle_time) ||
             !connection->stream.quiet(runtime::Stream::Quiet::heard);
    });
  }
  wake_those_with_room();
  if (counts_.idle != 0 || !waiting_.empty()) sweep_.arm(runtime::after(now, kSweep));
}

}  // namespace segue::gateway
