#pragma once

#include <coroutine>

#include "runtime/core.hpp"

namespace segue::runtime {

// Lets the core do other things until a moment, or until end(): `Pause pause(core, expiry);
// co_await pause;`. Once.
class Pause : Waiter {
 public:
  Pause(Core& core, MonotonicNs expiry)
      : Waiter([](Waiter& self, boost::system::error_code) {
          static_cast<Pause&>(self).waiting_.resume();
        }),
        core_(core),
        deadline_(
            core.wheel(), [](void* self) { static_cast<Pause*>(self)->waiting_.resume(); }, this),
        expiry_(expiry) {}

  // While it is waited for, once; who waits goes on from the event loop.
  void end() {
    deadline_.disarm();
    core_.wake_later(*this, {});
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    deadline_.arm(expiry_);
  }
  void await_resume() const noexcept {}

 private:
  Core& core_;
  Deadline deadline_;
  MonotonicNs expiry_;
  std::coroutine_handle<> waiting_;
};

}  // namespace segue::runtime
