#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <utility>
#include <vector>

#include "gateway/settings.hpp"

namespace segue::gateway {

// A listening TCP socket: a descriptor that is closed when this goes.
class ListeningSocket {
 public:
  explicit ListeningSocket(int descriptor) noexcept : descriptor_(descriptor) {}
  ListeningSocket(ListeningSocket&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();
  int get() const noexcept { return descriptor_; }
  int release() noexcept { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

// One socket a core for the same address (SO_REUSEPORT), and the address they got. Throws
// StartupError when it cannot be bound; a port that any other process listens on counts as taken.
struct BoundAddress {
  std::string text;  // "127.0.0.1:8080"
  std::vector<ListeningSocket> sockets;
};
BoundAddress bind_listener(const ListenerSettings& settings, unsigned sockets);

// "192.0.2.1:4711", "[2001:db8::1]:4711".
std::string address_text(const boost::asio::ip::tcp::endpoint& address);

}  // namespace segue::gateway
