#include "gateway/listening/listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "exchange/error.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {

namespace {

using tcp = boost::asio::ip::tcp;

constexpr std::chrono::milliseconds kAcceptPause{20};  // at a limit, before looking again

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

Listener::Listener(Worker& worker, const Entrance& entrance, SocketDescriptor socket)
    : worker_(worker), entrance_(entrance), descriptor_(worker.core) {
  if (descriptor_.open(socket.release(), runtime::Watched::listener))
    throw StartupError("cannot watch a listening socket: " + std::string(std::strerror(errno)));
}

runtime::Task<void> Listener::run() {
  while (!closed_) {
    runtime::Descriptor::Until ready(descriptor_, runtime::Way::in, runtime::kNever);
    const boost::system::error_code ec = co_await ready;
    if (ec || closed_) co_return;
    Accepted last = Accepted::one;
    while (last == Accepted::one && !closed_ && worker_.sessions() < worker_.max_sessions())
      last = accept_one();
    if (last == Accepted::nothing) continue;
    ++worker_.counters.accept_pauses;
    runtime::Pause pause(worker_.core, runtime::after(runtime::monotonic_now(), kAcceptPause));
    co_await pause;
  }
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

void Listener::close(Queued queued) noexcept {
  if (closed_) return;
  while (queued == Queued::taken && worker_.sessions() < worker_.max_sessions() &&
         accept_one() == Accepted::one) {
  }
  closed_ = true;
  descriptor_.close();
}

}  // namespace segue::gateway
