#pragma once

#include <coroutine>
#include <cstdint>
#include <list>

#include "recorder/promise.hpp"
#include "runtime/core.hpp"
#include "runtime/deadline_wheel.hpp"

namespace segue::gateway {

// Those exchanges of one core that wait until a promise about their record is kept
// (`durability: disk`, `durability: kafka`). The core's thread alone, but for its construction and
// destruction while the core does not run; nobody waits when it is destroyed.
class PromiseWatch {
 public:
  // Both must outlive it.
  PromiseWatch(runtime::Core& core, recorder::Promise& promise);
  ~PromiseWatch();
  PromiseWatch(const PromiseWatch&) = delete;
  PromiseWatch& operator=(const PromiseWatch&) = delete;

  // `PromiseWatch::Kept kept(watch, sequence, expiry); const bool is_kept = co_await kept;`: false
  // when the expiry passed or abort() was called.
  class Kept;

  // Ends what waits, from now on also what would.
  void abort() noexcept;

 private:
  void tell() noexcept;

  runtime::Core& core_;
  recorder::Promise& promise_;
  std::list<Kept*> waiting_;  // in no order
  bool aborted_ = false;
};

class PromiseWatch::Kept {
 public:
  Kept(PromiseWatch& watch, std::uint64_t lane_sequence, runtime::MonotonicNs expiry);
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;

  bool await_ready() const noexcept { return watch_.promise_.reached(lane_sequence_); }
  bool await_suspend(std::coroutine_handle<> waiter);
  bool await_resume() const noexcept { return watch_.promise_.reached(lane_sequence_); }

 private:
  friend class PromiseWatch;
  void wake() noexcept;

  PromiseWatch& watch_;
  const std::uint64_t lane_sequence_;
  const runtime::MonotonicNs expiry_;
  runtime::Deadline deadline_;
  std::coroutine_handle<> waiter_;
  std::list<Kept*>::iterator place_;
};

}  // namespace segue::gateway
