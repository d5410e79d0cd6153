#pragma once

#include <chrono>
#include <cstdint>

#include "runtime/clock.hpp"

namespace segue::gateway {

// Keeps retries from becoming a storm of their own when a backend goes down: how many a core may
// make to one backend. Each request earns a share of a retry and each retry costs one. Up to
// kMostSaved are saved. Where there are too few requests to earn any, one comes every kRefill until
// there are kFloor, with which it also begins. One thread.
class RetryBudget {
 public:
  static constexpr std::int64_t kFloor = 10;       // retries
  static constexpr std::int64_t kMostSaved = 100;  // retries
  static constexpr std::chrono::seconds kRefill{10};

  // `share`: what a request earns, in hundredths of a percent of a retry.
  explicit RetryBudget(std::uint16_t share) noexcept : share_(share) {}

  // A request goes to the backend.
  void earn() noexcept;
  // False: there is none left.
  bool spend(runtime::MonotonicNs now) noexcept;

 private:
  static constexpr std::int64_t kOne = 10'000;  // a retry, in hundredths of a percent of one

  std::int64_t share_;
  std::int64_t saved_ = kFloor * kOne;
  runtime::MonotonicNs refilled_at_ = 0;
};

}  // namespace segue::gateway
