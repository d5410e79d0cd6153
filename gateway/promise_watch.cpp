#include "gateway/promise_watch.hpp"

namespace segue::gateway {

PromiseWatch::PromiseWatch(runtime::Core& core, recorder::Promise& promise)
    : core_(core), promise_(promise) {
  promise_.on_kept([this] { core_.post([this] { tell(); }); });
}

PromiseWatch::~PromiseWatch() { promise_.on_kept({}); }

void PromiseWatch::tell() noexcept {
  // Waking one may end others or add some: the next is looked for from the beginning.
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    Kept* const kept = *next;
    if (!aborted_ && !promise_.reached(kept->lane_sequence_)) {
      ++next;
      continue;
    }
    kept->wake();
    next = waiting_.begin();
  }
}

void PromiseWatch::abort() noexcept {
  aborted_ = true;
  tell();
}

PromiseWatch::Kept::Kept(PromiseWatch& watch, std::uint64_t lane_sequence,
                         runtime::MonotonicNs expiry)
    : watch_(watch),
      lane_sequence_(lane_sequence),
      expiry_(expiry),
      deadline_(
          watch.core_.wheel(), [](void* self) { static_cast<Kept*>(self)->wake(); }, this) {}

bool PromiseWatch::Kept::await_suspend(std::coroutine_handle<> waiter) {
  watch_.promise_.want(lane_sequence_);
  // It may have been reached before anybody knew that it is waited for.
  if (watch_.aborted_ || watch_.promise_.reached(lane_sequence_)) return false;
  waiter_ = waiter;
  place_ = watch_.waiting_.insert(watch_.waiting_.end(), this);
  deadline_.arm(expiry_);
  return true;
}

void PromiseWatch::Kept::wake() noexcept {
  deadline_.disarm();
  watch_.waiting_.erase(place_);
  waiter_.resume();
}

}  // namespace segue::gateway
