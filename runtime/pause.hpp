#pragma once

#include <coroutine>

#include "runtime/core.hpp"

namespace segue::runtime {

// Lets the core do other things for a while: `Pause pause(core, expiry); co_await pause;`.
// Cannot be cut short: keep it brief.
class Pause {
 public:
  Pause(Core& core, MonotonicNs expiry)
      : deadline_(
            core.wheel(), [](void* self) { static_cast<Pause*>(self)->waiter_.resume(); }, this),
        expiry_(expiry) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_ = waiter;
    deadline_.arm(expiry_);
  }
  void await_resume() const noexcept {}

 private:
  Deadline deadline_;
  MonotonicNs expiry_;
  std::coroutine_handle<> waiter_;
};

}  // namespace segue::runtime
