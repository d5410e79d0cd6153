// New connections of an Upstream: from the endpoint's name to the end of the TLS handshake.
#include <algorithm>
#include <boost/asio/error.hpp>

#include "gateway/upstream/shortage.hpp"
#include "gateway/upstream/upstream.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {
namespace {

using boost::system::error_code;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
namespace errors = boost::asio::error;

// Who reads the record of an attempt wants to know whether the network or a certificate is at
// fault.
const char* name_of_step(const error_code& failed) noexcept {
  const bool tls = failed.category() == runtime::tls_category() ||
                   failed.category() == runtime::certificate_category();
  return tls ? "TLS with the backend" : "connecting to the backend";
}

NoConnection no_connection(error_code code, const char* doing, const Endpoint& endpoint) {
  return {{code, Party::upstream, Retry::safe, doing}, &endpoint};
}

// Over before it could fail: what comes of it says nothing of the others.
bool may_try_another(const error_code& ec) {
  return ec && ec != errors::timed_out && ec != errors::operation_aborted &&
         !is_out_of_means(ec);
}

}  // namespace

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

Task<Acquired> Upstream::connect(const Choice& choice, MonotonicNs expiry, MonotonicNs fair) {
  Endpoint& endpoint = *choice.endpoint;
  auto connection = std::make_unique<UpstreamConnection>(core_, pool_, endpoint);
  connection->admitted = choice.admitted;
  ++endpoint.open;
  ++counts_.open;
  ++counts_.connects;
  UpstreamLease lease(*this, std::move(connection));
  const char* doing = "resolving the backend's name";
  MonotonicNs began = monotonic_now();
  MonotonicNs until = std::min(expiry, runtime::after(began, kResolveLimit));
  error_code ec = co_await resolve(endpoint, until);
  if (!ec) {
    began = monotonic_now();
    until = expiry;
    if (const auto limit = settings_.timeouts.connect) {
      until = std::min(until, runtime::after(began, *limit));
      fair = std::min(fair, runtime::after(0, *limit) / 2);
    }
    const Connecting here(*this, *lease);
    ec = co_await connect_to(*lease, until);
    doing = name_of_step(ec);
  }
  if (ec) {
    ++counts_.connect_failures;
    NoConnection failure = no_connection(ec, doing, endpoint);
    const bool cut_short = until == expiry && monotonic_now() - began < fair;
    if (ec == errors::timed_out && cut_short)
      failure.endpoint = nullptr;  // who asked had no time left for it
    else if (!aborted_ && !is_of_this_side(ec))
      failed(*lease);
    co_return failure;
  }
  lease->idle_time = settings_.idle_time;
  co_return std::move(lease);
}

Task<error_code> Upstream::resolve(Endpoint& endpoint, MonotonicNs expiry) {
  for (;;) {
    if (endpoint.addresses.outdated()) renew_addresses(endpoint);
    if (!endpoint.addresses.empty()) co_return error_code();
    if (aborted_) co_return make_error_code(errors::operation_aborted);
    const auto why = endpoint.addresses.failure();
    if (why && *why) co_return *why;
    const MonotonicNs now = monotonic_now();
    if (now >= expiry) co_return make_error_code(errors::timed_out);
    runtime::Pause pause(core_, std::min(expiry, now + runtime::DeadlineWheel::kTick));
    co_await pause;
  }
}

// One address after the other until one takes the connection: a name may stand for several, of
// which some do not listen (localhost: ::1 and 127.0.0.1).
Task<error_code> Upstream::connect_to(UpstreamConnection& connection, MonotonicNs expiry) {
  EndpointAddresses& addresses = connection.endpoint.addresses;
  connection.known_since = addresses.version();
  const auto peers = addresses.in_turn(monotonic_now());
  error_code ec = errors::host_not_found;
  for (const EndpointAddresses::Address& peer : peers) {
    connection.peer = peer;
    ec = co_await connect_socket(connection, expiry);
    if (ec && !is_out_of_means(ec)) addresses.failed(peer, monotonic_now());
    if (!may_try_another(ec)) break;
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

// A Unix socket whose queue is full says so, and not when there is room again (connect(2), EAGAIN).
Task<error_code> Upstream::connect_socket(UpstreamConnection& connection, MonotonicNs expiry) {
  for (;;) {
    const error_code ec = co_await connection.stream.connect(connection.peer, expiry);
    if (ec != errors::try_again && ec != errors::would_block) co_return ec;
    if (aborted_) co_return make_error_code(errors::operation_aborted);
    const MonotonicNs now = monotonic_now();
    if (now >= expiry) co_return make_error_code(errors::timed_out);
    runtime::Pause pause(core_, std::min(expiry, now + runtime::DeadlineWheel::kTick));
    co_await pause;
  }
}

}  // namespace segue::gateway
