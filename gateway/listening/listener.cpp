#include "gateway/listening/listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "exchange/error.hpp"
#include "gateway/afterwards.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {

namespace {

using tcp = boost::asio::ip::tcp;

constexpr std::chrono::milliseconds kAcceptPause{20};  // at a limit, before looking again
// Of a socket that cores share. One that pauses may have been told of what it did not accept, and
// the kernel tells nobody else: the others look for themselves.
constexpr std::chrono::milliseconds kLook{100};
constexpr unsigned kTurn = 16;           // connections, then it is another core's turn
constexpr unsigned kAcceptsAtOnce = 64;  // then sessions have their turn: strangers are no session
constexpr unsigned kMostQueued = 4096;   // on a socket that closes; strangers may come for ever

// As accept4() says it.
struct PeerAddress {
  sockaddr_storage raw{};  // a Unix address is longer than an endpoint of TCP
  socklen_t size = sizeof raw;

  sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&raw); }
  Session::Peer read() const {
    if (raw.ss_family == AF_UNIX) return std::nullopt;
    tcp::endpoint peer;
    const std::size_t bytes =
        raw.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(peer.data(), &raw, bytes);
    peer.resize(bytes);
    return peer;
  }
};

// The session's life; it owns the session.
runtime::Task<void> live(std::unique_ptr<Session> session) {
  co_await session->run();
}

}  // namespace

Listener::Listener(Worker& worker, const Entrance& entrance, OwnedDescriptor socket,
                   Accepting accepting)
    : worker_(worker), entrance_(entrance), accepting_(accepting), descriptor_(worker.core) {
  if (descriptor_.open(socket.release(), runtime::Watched::listener))
    throw StartupError("cannot watch a listening socket: " + std::string(std::strerror(errno)));
}

void Listener::begin() {
  if (begun_ || closed_ || !is_listening(descriptor_.get())) return;
  begun_ = true;
  worker_.tasks.spawn(run());
}

runtime::Task<void> Listener::run() {
  while (!closed_) {
    runtime::Descriptor::Until ready(descriptor_, runtime::Way::in, next_look());
    const boost::system::error_code look_again = co_await ready;
    if (closed_) co_return;
    const Accepted last = look_again ? Accepted::nothing : accept_some();
    if (closed_) co_return;
    if (last == Accepted::exhausted) {
      co_await pause();
      continue;
    }
    const bool turn_over = accepting_ == Accepting::in_turn && accepted_ >= kTurn;
    if (look_again || turn_over) {
      accepted_ = 0;
      if (!descriptor_.queue_up()) co_await pause();
    } else if (last == Accepted::one) {
      Afterwards sessions(worker_.core);
      co_await sessions;
    }
  }
}

runtime::MonotonicNs Listener::next_look() const noexcept {
  if (accepting_ == Accepting::alone) return runtime::kNever;
  return runtime::after(runtime::monotonic_now(), kLook);
}

// Until there is nothing, no room, or enough for now.
Listener::Accepted Listener::accept_some() {
  Accepted last = Accepted::one;
  for (unsigned i = 0; last == Accepted::one && i < kAcceptsAtOnce; ++i) {
    if (!has_room()) return Accepted::exhausted;
    last = accept_one();
    if (last == Accepted::one) ++accepted_;
  }
  return last;
}

// Out of the row of those that the kernel wakes, so that it wakes one that accepts.
runtime::Task<void> Listener::pause() {
  ++worker_.counters.accept_pauses;
  descriptor_.rest();
  do {
    runtime::Pause a_moment(worker_.core, runtime::after(runtime::monotonic_now(), kAcceptPause));
    co_await a_moment;
  } while (!closed_ && (!has_room() || !descriptor_.queue_up()));
}

Listener::Accepted Listener::accept_one() {
  PeerAddress address;
  const int descriptor =
      ::accept4(descriptor_.get(), address.data(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ECONNABORTED || errno == EINTR) return Accepted::one;  // that one left again
    // No descriptor or memory left, or the network's trouble: more may be queued, and no event will
    // tell of it again.
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Accepted::exhausted;
    descriptor_.blocked(runtime::Way::in);
    return Accepted::nothing;
  }
  ++worker_.counters.connections_accepted;
  const Session::Peer peer = address.read();
  if (!admits(peer)) {
    worker_.counters.proxy_refusals.add("untrusted_peer");
    ::close(descriptor);
    return Accepted::one;
  }
  auto session = std::make_unique<Session>(worker_, entrance_, peer);
  if (session->client().stream.assign(descriptor)) return Accepted::exhausted;
  worker_.tasks.spawn(live(std::move(session)));
  return Accepted::one;
}

bool Listener::admits(const Session::Peer& peer) const noexcept {
  if (entrance_.settings.proxy_protocol == ProxyProtocol::off) return true;
  return peer ? entrance_.trusted.contains(peer->address()) : entrance_.trusted.contains_unix();
}

void Listener::look_again() noexcept {
  descriptor_.expect_by(runtime::Way::in, runtime::monotonic_now());
}

void Listener::close() noexcept {
  if (closed_) return;
  for (unsigned i = 0; i < kMostQueued && accept_one() == Accepted::one; ++i) {
  }
  closed_ = true;
  descriptor_.close();
}

}  // namespace segue::gateway
