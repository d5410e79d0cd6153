#include "gateway/listener.hpp"

#include <sys/socket.h>

#include <cstring>

#include "exchange/error.hpp"
#include "gateway/session.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {

namespace {

using tcp = boost::asio::ip::tcp;

constexpr std::chrono::milliseconds kAcceptPause{20};  // at a limit, before looking again

// The session's life; it owns the session.
runtime::Task<void> live(std::unique_ptr<Session> session) {
  co_await session->run();
}

}  // namespace

Listener::Listener(Worker& worker, const ListenerSettings& settings, const runtime::TlsContext* tls,
                   const TrustedPeers& trusted, ListeningSocket socket)
    : worker_(worker), settings_(settings), tls_(tls), trusted_(trusted), descriptor_(worker.core) {
  if (descriptor_.open(socket.release()))
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
  tcp::endpoint peer;
  socklen_t size = static_cast<socklen_t>(peer.capacity());
  const int descriptor =
      ::accept4(descriptor_.get(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ECONNABORTED || errno == EINTR) return Accepted::one;  // that one left again
    // No descriptor or memory left, or the network's trouble: more may be queued, and no event will
    // tell of it again.
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Accepted::exhausted;
    descriptor_.blocked(runtime::Way::in);
    return Accepted::nothing;
  }
  peer.resize(size);
  ++worker_.counters.connections_accepted;
  auto session = std::make_unique<Session>(worker_, settings_, tls_);
  Client& client = session->client();
  if (client.stream.assign(descriptor)) return Accepted::exhausted;
  client.ip = peer.address().to_string();
  client.address = address_text(peer);
  client.trusted = trusted_.contains(peer.address());
  worker_.tasks.spawn(live(std::move(session)));
  return Accepted::one;
}

void Listener::close() noexcept {
  if (closed_) return;
  while (worker_.sessions() < worker_.max_sessions() && accept_one() == Accepted::one) {
  }
  closed_ = true;
  descriptor_.close();
}

}  // namespace segue::gateway
