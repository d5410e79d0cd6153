#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/settings.hpp"
#include "gateway/worker.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/task.hpp"
#include "runtime/tls.hpp"

namespace segue::gateway {

// Addresses of peers whose Forwarded and X-Forwarded-* are believed: single ones and CIDR blocks.
class TrustedPeers {
 public:
  // Throws StartupError for an entry that is neither.
  explicit TrustedPeers(const std::vector<std::string>& entries);
  bool contains(const boost::asio::ip::address& address) const noexcept;

 private:
  struct Block {
    boost::asio::ip::address_v6::bytes_type bytes;  // IPv4 as mapped
    unsigned bits;
  };
  std::vector<Block> blocks_;
};

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

// Accepts on one core; each connection becomes a session in the worker's task group. Pauses at the
// worker's share of limits.connections and while the process has no descriptor left.
class Listener {
 public:
  Listener(Worker& worker, const ListenerSettings& settings, const runtime::TlsContext* tls,
           const TrustedPeers& trusted, ListeningSocket socket);

  // On the core: accepts until close().
  runtime::Task<void> run();
  // On the core: takes what is queued, then no more.
  void close() noexcept;

 private:
  enum class Accepted : std::uint8_t { nothing, one, exhausted };
  Accepted accept_one();

  Worker& worker_;
  const ListenerSettings& settings_;
  const runtime::TlsContext* tls_;
  const TrustedPeers& trusted_;
  runtime::Descriptor descriptor_;
  bool closed_ = false;
};

}  // namespace segue::gateway
