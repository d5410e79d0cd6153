#pragma once

#include <coroutine>

#include "runtime/core.hpp"

namespace segue::gateway {

// Lets what the core has in hand go first: clients before shadows. Whoever waits goes on in a later
// turn of the core's loop, behind what the kernel has told by then, a few of them a turn:
// `Afterwards turn(core); co_await turn;`.
class Afterwards : runtime::Waiter {
 public:
  explicit Afterwards(runtime::Core& core)
      : Waiter([](Waiter& self, boost::system::error_code) {
          static_cast<Afterwards&>(self).resume_.resume();
        }),
        core_(core) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> resume) {
    resume_ = resume;
    core_.wake_in_turn(*this);
  }
  void await_resume() const noexcept {}

 private:
  runtime::Core& core_;
  std::coroutine_handle<> resume_;
};

}  // namespace segue::gateway
