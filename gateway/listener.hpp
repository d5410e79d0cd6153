#pragma once

#include <cstdint>

#include "gateway/listening_socket.hpp"
#include "gateway/settings.hpp"
#include "gateway/trusted_peers.hpp"
#include "gateway/worker.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/task.hpp"
#include "runtime/tls.hpp"

namespace segue::gateway {

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
