#pragma once

#include <chrono>

#include "cli/signals.hpp"
#include "gateway/gateway.hpp"
#include "gateway/listening/handover.hpp"
#include "gateway/listening/listening_sockets.hpp"
#include "gateway/probe.hpp"

namespace segue::cli {

// How a process that serves ends: the stages of docs/architecture.md, "Drain". At any moment of it
// another process may take over what is still open, also one that is in the middle of that when the
// signal comes; one that asks when nothing is open hears so, and binds. The main thread's.
class ServingEnd {
 public:
  struct Parts {
    gateway::Gateway& gateway;
    gateway::ProbeListener& probe;
    gateway::ListeningSockets& sockets;
    gateway::HandoverServer* handover;  // null: only for give_up()
    const Signals& signals;
  };
  explicit ServingEnd(const Parts& parts) : parts_(parts), left_(parts.handover == nullptr) {}

  // It was to take over and does not: another process serves on with the same sockets.
  void give_up();
  // Another process has taken over: this one finishes what it has begun.
  void leave();
  // A signal has come.
  void drain();
  // After one of these: lets go of what is still open, so that who asks now can bind it.
  void close();

 private:
  void leave_all(gateway::ListeningSockets::Files files);
  void hand_over();
  void run_out_idle(std::chrono::milliseconds limit);
  void run_out(std::chrono::milliseconds limit);
  enum class Waited : std::uint8_t { done, late, hurry };
  Waited wait_for_end(std::chrono::milliseconds limit);

  Parts parts_;
  bool left_;  // another process has what is open
};

}  // namespace segue::cli
