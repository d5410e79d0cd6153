#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace segue::recorder {

// Waiting times that double, each shortened by up to half at random: gateways that failed together
// do not come back together. One thread.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest), next_(first) {}

  std::chrono::milliseconds next() {
    const auto whole = next_;
    next_ = std::min(next_ * 2, longest_);
    std::uniform_int_distribution<std::chrono::milliseconds::rep> pick(whole.count() / 2,
                                                                       whole.count());
    return std::chrono::milliseconds(pick(random_));
  }
  void reset() noexcept { next_ = first_; }

 private:
  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds longest_;
  std::chrono::milliseconds next_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace segue::recorder
