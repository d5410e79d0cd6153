#include "gateway/listening_socket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "exchange/error.hpp"

namespace segue::gateway {

namespace {

using boost::asio::ip::address;
using tcp = boost::asio::ip::tcp;

constexpr int kBacklog = 4096;  // the kernel cuts it to somaxconn

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

}  // namespace

std::string address_text(const tcp::endpoint& peer) {
  const std::string ip = peer.address().to_string();
  return peer.address().is_v6() ? fmt::format("[{}]:{}", ip, peer.port())
                                : fmt::format("{}:{}", ip, peer.port());
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
  bound.text = address_text(where);
  for (unsigned i = 0; i < sockets; ++i) {
    ListeningSocket socket(open_bound(settings, where, Sharing::between_cores));
    if (::listen(socket.get(), kBacklog) != 0) throw cannot_listen(settings);
    bound.sockets.push_back(std::move(socket));
  }
  return bound;
}

}  // namespace segue::gateway
