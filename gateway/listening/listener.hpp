#pragma once

#include <cstdint>

#include "gateway/listening/listening_socket.hpp"
#include "gateway/session.hpp"
#include "gateway/worker.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/task.hpp"

namespace segue::gateway {

// Accepts on one core; each connection becomes a session in the worker's task group. Pauses at the
// worker's share of limits.connections and while the process has no descriptor left. Where
// connections begin with a PROXY protocol header, those of strangers are closed at once.
class Listener {
 public:
  Listener(Worker& worker, const Entrance& entrance, SocketDescriptor socket);

  // On the core: accepts until close().
  runtime::Task<void> run();
  // On the core: no more is accepted. What is queued is taken first, or left to another process that
  // accepts from the same socket.
  enum class Queued : std::uint8_t { taken, left };
  void close(Queued queued) noexcept;

 private:
  enum class Accepted : std::uint8_t { nothing, one, exhausted };
  Accepted accept_one();
  bool admits(const Session::Peer& peer) const noexcept;

  Worker& worker_;
  const Entrance entrance_;
  runtime::Descriptor descriptor_;
  bool closed_ = false;
};

}  // namespace segue::gateway
