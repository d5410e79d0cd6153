#include "gateway/listener.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "exchange/error.hpp"
#include "gateway/session.hpp"
#include "runtime/pause.hpp"

namespace segue::gateway {
namespace {

using boost::asio::ip::address;
using tcp = boost::asio::ip::tcp;

constexpr int kBacklog = 4096;                         // the kernel cuts it to somaxconn
constexpr std::chrono::milliseconds kAcceptPause{20};  // at a limit, before looking again

boost::asio::ip::address_v6::bytes_type mapped_bytes(const address& from) {
  if (from.is_v6()) return from.to_v6().to_bytes();
  return make_address_v6(boost::asio::ip::v4_mapped, from.to_v4()).to_bytes();
}

StartupError cannot_listen(const ListenerSettings& settings) {
  return StartupError(
      fmt::format("cannot listen on {}:{} (listeners.{}.address): {}; choose another address or "
                  "stop what uses it",
                  settings.host, settings.port, settings.name, std::strerror(errno)));
}

void set_option(int descriptor, int level, int option) {
  const int on = 1;
  setsockopt(descriptor, level, option, &on, sizeof on);
}

enum class Sharing : std::uint8_t { alone, between_cores };

int open_bound(const ListenerSettings& settings, const tcp::endpoint& where, Sharing sharing) {
  ListeningSocket socket(
      ::socket(where.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) throw cannot_listen(settings);
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR);
  if (sharing == Sharing::between_cores) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT);
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY);  // inherited by what it accepts
  if (::bind(socket.get(), where.data(), static_cast<socklen_t>(where.size())) != 0)
    throw cannot_listen(settings);
  return socket.release();
}

// The session's life; it owns the session.
runtime::Task<void> live(std::unique_ptr<Session> session) {
  co_await session->run();
}

std::string peer_text(const tcp::endpoint& peer) {
  const std::string ip = peer.address().to_string();
  return peer.address().is_v6() ? fmt::format("[{}]:{}", ip, peer.port())
                                : fmt::format("{}:{}", ip, peer.port());
}

}  // namespace

TrustedPeers::TrustedPeers(const std::vector<std::string>& entries) {
  for (const std::string& entry : entries) {
    const std::size_t slash = entry.find('/');
    boost::system::error_code ec;
    const address base = boost::asio::ip::make_address(entry.substr(0, slash), ec);
    unsigned bits = ec ? 0 : base.is_v4() ? 32u : 128u;
    const unsigned most = bits;
    if (!ec && slash != std::string::npos) {
      const char* end = entry.data() + entry.size();
      const auto parsed = std::from_chars(entry.data() + slash + 1, end, bits);
      if (parsed.ec != std::errc() || parsed.ptr != end || bits > most)
        ec = boost::asio::error::invalid_argument;
    }
    if (ec)
      throw StartupError("trusted_proxies: '" + entry +
                         "' is no address or CIDR block; write one like 10.0.0.0/8");
    blocks_.push_back({mapped_bytes(base), base.is_v4() ? bits + 96 : bits});
  }
}

bool TrustedPeers::contains(const address& peer) const noexcept {
  const auto bytes = mapped_bytes(peer);
  for (const Block& block : blocks_) {
    const std::size_t whole = block.bits / 8;
    const unsigned rest = block.bits % 8;
    if (std::memcmp(bytes.data(), block.bytes.data(), whole) != 0) continue;
    if (rest == 0 || ((bytes[whole] ^ block.bytes[whole]) >> (8 - rest)) == 0) return true;
  }
  return false;
}

ListeningSocket::~ListeningSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

BoundAddress bind_listener(const ListenerSettings& settings, unsigned sockets) {
  boost::system::error_code ec;
  const address ip = boost::asio::ip::make_address(settings.host, ec);
  if (ec)
    throw StartupError(
        fmt::format("listeners.{}.address: '{}' is not an IP address; write one like 0.0.0.0:8080",
                    settings.name, settings.host));
  tcp::endpoint where(ip, settings.port);
  {
    // With SO_REUSEPORT a second process could share the port unnoticed: bind once without it.
    // A port of 0 is chosen here, for all sockets.
    const ListeningSocket alone(open_bound(settings, where, Sharing::alone));
    socklen_t size = static_cast<socklen_t>(where.capacity());
    getsockname(alone.get(), where.data(), &size);
    where.resize(size);
  }
  BoundAddress bound;
  bound.text = peer_text(where);
  for (unsigned i = 0; i < sockets; ++i) {
    ListeningSocket socket(open_bound(settings, where, Sharing::between_cores));
    if (::listen(socket.get(), kBacklog) != 0) throw cannot_listen(settings);
    bound.sockets.push_back(std::move(socket));
  }
  return bound;
}

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
  client.address = peer_text(peer);
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
