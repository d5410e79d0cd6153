#include "gateway/tunnel.hpp"

#include <boost/asio/error.hpp>

namespace segue::gateway {

using runtime::after;
using runtime::coarse_now;
using runtime::monotonic_now;
using runtime::MonotonicNs;
using runtime::Task;
using runtime::Transfer;
namespace errors = boost::asio::error;

namespace {

constexpr std::size_t kTunnelBuffer = 16 << 10;  // of one direction, while something is in it

}  // namespace

Tunnel::Tunnel(Client& client, runtime::Stream& backend, BackendCounts& counts,
               std::optional<std::chrono::milliseconds> idle)
    : counts_(counts),
      idle_(idle),
      moved_at_(coarse_now()),
      to_backend_{.from = client.stream,
                  .to = backend,
                  .buffer = runtime::Buffer(client.worker.buffers),
                  .counted = counts.tunnel_bytes_from_client},
      to_client_{.from = backend,
                 .to = client.stream,
                 .buffer = runtime::Buffer(client.worker.buffers),
                 .counted = counts.tunnel_bytes_to_client} {
  ++counts_.tunnels;
  ++counts_.tunnels_open;
}

Task<void> Tunnel::run(std::string_view held) {
  beside_.start(carry(to_client_, {}));
  std::exception_ptr failure;
  try {
    co_await carry(to_backend_, held);
  } catch (const std::exception&) {  // of an allocation
    failure = std::current_exception();
  }
  co_await beside_.join();
  if (failure) std::rethrow_exception(failure);
}

void Tunnel::abort() noexcept {
  aborted_ = true;
  cut();
}

void Tunnel::cut() noexcept {
  over_ = true;
  to_backend_.from.cancel();
  to_backend_.to.cancel();
}

// One direction alone is no tunnel: where memory is short, both end.
Task<void> Tunnel::carry(Way& way, std::string_view held) {
  std::exception_ptr failure;
  try {
    co_await carry_all(way, held);
  } catch (const std::exception&) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  cut();
  std::rethrow_exception(failure);
}

Task<void> Tunnel::carry_all(Way& way, std::string_view held) {
  bool taken = co_await deliver(way, held);
  while (taken && !over_) {
    const Transfer got = co_await receive(way);
    if (over_) co_return;
    if (got.ec) {
      way.broken = true;
      co_return cut();
    }
    if (got.bytes == 0) {
      // A connection whose reset was told to who wrote to it reads as if it had ended.
      way.broken = opposite(way).refused_by_reset;
      if (way.broken) co_return cut();
      way.ended = true;
      const MonotonicNs expiry = idle_expiry();
      co_await way.to.end_sending(expiry);
      co_return;
    }
    way.buffer.commit(got.bytes);
    const std::string_view bytes = way.buffer.readable();
    taken = co_await deliver(way, bytes);
    way.buffer.release();
  }
}

Task<Transfer> Tunnel::receive(Way& way) {
  for (;;) {
    Transfer got;
    got.ec = co_await way.from.readable(next_look());
    if (!got.ec && !over_) {
      // Memory is taken when there is something to put in it.
      if (way.buffer.capacity() == 0) way.buffer.reserve(kTunnelBuffer);
      got = co_await way.from.read_some(way.buffer.writable(), next_look());
    }
    if (over_ || got.ec != errors::timed_out || end_if_idle(way)) co_return got;
  }
}

Task<bool> Tunnel::deliver(Way& way, std::string_view bytes) {
  const auto patience = idle_ ? std::chrono::nanoseconds(*idle_).count() : runtime::kNever;
  while (!bytes.empty() && !over_) {
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    const std::span<iovec> pieces(&piece, 1);
    way.delivering = true;
    const Transfer sent = co_await way.to.write(pieces, patience);
    count(way, sent.bytes);
    bytes.remove_prefix(sent.bytes);
    if (over_) co_return false;
    way.stalled = sent.ec == errors::timed_out && sent.bytes == 0;
    if (sent.ec == errors::timed_out) {
      if (way.stalled && end_if_idle(way)) co_return false;
      continue;
    }
    way.delivering = false;
    if (!sent.ec) continue;
    // Its last words may still wait to be read. Who ended and then closed says EPIPE.
    way.refused_by_reset = sent.ec != errors::broken_pipe;
    if (sent.ec == errors::connection_aborted) {  // TLS: it may never say why
      opposite(way).broken = true;
      cut();
    }
    co_return false;
  }
  co_return !over_;
}

void Tunnel::count(Way& way, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  way.bytes += bytes;
  way.counted += bytes;
  moved_at_ = coarse_now();
}

MonotonicNs Tunnel::idle_expiry() const noexcept {
  return idle_ ? after(moved_at_, *idle_) : runtime::kNever;
}

MonotonicNs Tunnel::next_look() const noexcept {
  const MonotonicNs now = monotonic_now();
  const MonotonicNs expiry = idle_expiry();
  return expiry > now ? expiry : after(now, *idle_);
}

// A write that waits may have come some way, and says so when it is over or stalls.
bool Tunnel::end_if_idle(const Way& way) noexcept {
  const Way& other = opposite(way);
  const bool may_have_moved = other.delivering && !other.stalled;
  if (may_have_moved || monotonic_now() < idle_expiry()) return false;
  timed_out_ = true;
  cut();
  return true;
}

Outcome Tunnel::outcome() const noexcept {
  if (aborted_) return Outcome::interrupted;
  if (timed_out_) return to_client_.delivering ? Outcome::client_aborted : Outcome::upstream_timeout;
  if (to_client_.broken) return Outcome::upstream_reset;
  return to_client_.ended ? Outcome::completed : Outcome::client_aborted;
}

// A client that goes on sending to a backend that is gone may not lose the backend's last words.
Next Tunnel::next() const noexcept {
  if (aborted_ || timed_out_ || to_client_.broken || to_backend_.broken) return Next::reset;
  return to_backend_.ended ? Next::close : Next::linger;
}

}  // namespace segue::gateway
