#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "gateway/answers.hpp"
#include "gateway/settings.hpp"
#include "runtime/clock.hpp"

namespace segue::gateway {

inline constexpr Refusal kBodyTimeout{408, "body_timeout", "the request body stopped arriving",
                                      "body_idle"};
inline constexpr Refusal kBodyTooSlow{408, "body_too_slow", "the request body arrives too slowly",
                                      "min_rate"};
inline constexpr Refusal kBodyTooLarge{
    413, "body_too_large", "the request body is larger than the gateway accepts", "body"};

// Holds a request body to limits.body_idle and limits.min_rate: each read may wait for body_idle,
// and whenever the client was waited for as long as that in all, what came meanwhile must have kept
// up with min_rate. Time in which nobody waited for the client is not its fault.
class BodyPace {
 public:
  explicit BodyPace(const Limits& limits) noexcept : limits_(limits) {}

  // Before each read: how long it may wait.
  runtime::MonotonicNs expiry() noexcept {
    waits_since_ = runtime::monotonic_now();
    return runtime::after(waits_since_, limits_.body_idle);
  }
  // After it.
  bool keeps_up(std::size_t bytes) noexcept {
    bytes_ += bytes;
    waited_ += runtime::monotonic_now() - waits_since_;
    if (waited_ < std::chrono::nanoseconds(limits_.body_idle).count()) return true;
    const double seconds = static_cast<double>(waited_) / 1e9;
    const double wanted = static_cast<double>(limits_.min_rate_bytes) * seconds;
    const bool fast_enough = static_cast<double>(bytes_) >= wanted;
    waited_ = 0;
    bytes_ = 0;
    return fast_enough;
  }

 private:
  const Limits& limits_;
  runtime::MonotonicNs waits_since_ = 0;
  runtime::MonotonicNs waited_ = 0;  // for the client, since the last look at its rate
  std::uint64_t bytes_ = 0;          // that came meanwhile
};

}  // namespace segue::gateway
