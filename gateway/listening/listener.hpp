#pragma once

#include <cstdint>

#include "gateway/listening/listening_socket.hpp"
#include "gateway/session.hpp"
#include "gateway/worker.hpp"
#include "runtime/descriptor.hpp"
#include "runtime/task.hpp"

namespace segue::gateway {

// Accepts on one core; each connection becomes a session in the worker's task group. Pauses at the
// worker's share of limits.connections and while the process has no descriptor left; who else has
// the socket accepts meanwhile. Where connections begin with a PROXY protocol header, those of
// strangers are closed at once.
class Listener {
 public:
  // Whether other cores accept from the same socket. Then the cores take turns: the kernel wakes
  // one for each connection, and would wake the same one as long as that has nothing else to do.
  enum class Accepting : std::uint8_t { alone, in_turn };
  Listener(Worker& worker, const Entrance& entrance, OwnedDescriptor socket, Accepting accepting);

  // On the core: accepts until close(), if the socket listens by now. Called again nothing changes.
  void begin();
  // On the core: who waits looks again soon, whatever the kernel told. For when another process has
  // left the socket, which may have been told of what it did not accept.
  void look_again() noexcept;
  // On the core: no more is accepted but what is queued, also where another process accepts from
  // the same socket: this one was told of it, and may be the last to have the socket.
  void close() noexcept;

 private:
  enum class Accepted : std::uint8_t { nothing, one, exhausted };
  runtime::Task<void> run();
  Accepted accept_one();
  Accepted accept_some();
  runtime::Task<void> pause();
  bool has_room() const noexcept { return worker_.sessions() < worker_.max_sessions(); }
  runtime::MonotonicNs next_look() const noexcept;
  bool admits(const Session::Peer& peer) const noexcept;

  Worker& worker_;
  const Entrance entrance_;
  const Accepting accepting_;
  runtime::Descriptor descriptor_;
  unsigned accepted_ = 0;  // in this turn
  bool begun_ = false;
  bool closed_ = false;
};

}  // namespace segue::gateway
