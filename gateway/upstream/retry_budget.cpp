#include "gateway/upstream/retry_budget.hpp"

#include <algorithm>

namespace segue::gateway {

void RetryBudget::earn() noexcept {
  saved_ = std::min(saved_ + share_, kMostSaved * kOne);
}

bool RetryBudget::spend(runtime::MonotonicNs now) noexcept {
  const runtime::MonotonicNs refill = std::chrono::nanoseconds(kRefill).count();
  const std::int64_t due = (now - refilled_at_) / refill;
  if (due > 0) {
    refilled_at_ += due * refill;
    saved_ = std::max(saved_, std::min(saved_ + due * kOne, kFloor * kOne));
  }
  if (saved_ < kOne) return false;
  saved_ -= kOne;
  return true;
}

}  // namespace segue::gateway
