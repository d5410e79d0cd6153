#include "runtime/deadline_wheel.hpp"

#include <algorithm>
#include <utility>

#include "exchange/ensure.hpp"

namespace segue::runtime {

Deadline::~Deadline() {
  if (link_ != nullptr) unlink();
}

void Deadline::arm(MonotonicNs expiry) noexcept {
  expiry_ = expiry;
  if (expiry == kNever) return;
  if (link_ != nullptr) {
    if (slot_time_ <= expiry + DeadlineWheel::kTick)
      return;  // its slot comes up first: moved on then
    unlink();
  }
  wheel_.place(*this);
}

void Deadline::link(Deadline*& slot) noexcept {
  next_ = slot;
  if (next_ != nullptr) next_->link_ = &next_;
  slot = this;
  link_ = &slot;
  ++wheel_.linked_;
}

void Deadline::unlink() noexcept {
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  next_ = nullptr;
  link_ = nullptr;
  --wheel_.linked_;
}

DeadlineWheel::~DeadlineWheel() {
  ensure(linked_ == 0, "every deadline goes before its wheel");
}

void DeadlineWheel::place(Deadline& deadline) noexcept {
  const std::int64_t due = (deadline.expiry_ + kTick - 1) / kTick;
  const std::int64_t last = done_ + static_cast<std::int64_t>(kSlots) - 1;
  const std::int64_t tick = std::clamp(due, done_ + 1, last);
  deadline.slot_time_ = tick * kTick;
  deadline.link(slots_[static_cast<std::size_t>(tick) % kSlots]);
}

void DeadlineWheel::advance(MonotonicNs now) noexcept {
  const std::int64_t target = now / kTick;
  // After a long pause each slot is looked at once; what is not due is placed again.
  done_ = std::max(done_, target - static_cast<std::int64_t>(kSlots));
  while (done_ < target) {
    ++done_;
    Deadline* waiting = std::exchange(slots_[static_cast<std::size_t>(done_) % kSlots], nullptr);
    if (waiting != nullptr) waiting->link_ = &waiting;
    while (waiting != nullptr) {
      Deadline& deadline = *waiting;
      deadline.unlink();
      if (deadline.expiry_ == kNever) continue;
      if (deadline.expiry_ > now) {
        place(deadline);
        continue;
      }
      deadline.expiry_ = kNever;
      deadline.fire_(deadline.owner_);
    }
  }
}

}  // namespace segue::runtime
