#pragma once

#include <array>
#include <cstddef>

#include "runtime/clock.hpp"

namespace segue::runtime {

class DeadlineWheel;

// One deadline that can be armed again and again. Immovable; leaves its wheel when destroyed.
// arm() and disarm() are a store: the wheel looks again when the slot it is in comes up.
class Deadline {
 public:
  using Fire = void (*)(void* owner);

  Deadline(DeadlineWheel& wheel, Fire fire, void* owner) noexcept
      : wheel_(wheel), fire_(fire), owner_(owner) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  // Fires once, at `expiry` or up to one tick later; arming again moves it. kNever disarms.
  void arm(MonotonicNs expiry) noexcept;
  void disarm() noexcept { expiry_ = kNever; }
  bool armed() const noexcept { return expiry_ != kNever; }

 private:
  friend class DeadlineWheel;
  void link(Deadline*& slot) noexcept;
  void unlink() noexcept;

  DeadlineWheel& wheel_;
  Fire fire_;
  void* owner_;
  MonotonicNs expiry_ = kNever;
  MonotonicNs slot_time_ = 0;  // when the slot it stands in comes up; 0: in none
  Deadline* next_ = nullptr;
  Deadline** link_ = nullptr;  // what points at this
};

// The deadlines of one core: slots of one tick each, later ones wait in the last slot and are
// moved on. Used by one thread, which calls advance() at least every tick while any() holds.
class DeadlineWheel {
 public:
  static constexpr MonotonicNs kTick = 10'000'000;  // 10 ms
  static constexpr std::size_t kSlots = 1024;       // 10 s before a deadline is moved on

  explicit DeadlineWheel(MonotonicNs now) noexcept : done_(now / kTick) {}
  DeadlineWheel(const DeadlineWheel&) = delete;
  DeadlineWheel& operator=(const DeadlineWheel&) = delete;
  ~DeadlineWheel();

  // Fires what is due. A fired deadline may arm itself and others, and destroy others.
  void advance(MonotonicNs now) noexcept;
  // Whether any deadline stands in a slot, armed or not.
  bool any() const noexcept { return linked_ != 0; }

 private:
  friend class Deadline;
  void place(Deadline& deadline) noexcept;

  std::int64_t done_;  // ticks whose slots have been emptied
  std::size_t linked_ = 0;
  std::array<Deadline*, kSlots> slots_{};
};

}  // namespace segue::runtime
