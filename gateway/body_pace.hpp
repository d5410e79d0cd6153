#pragma once

#include <algorithm>
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

// Holds a request body to limits.body_idle and limits.min_rate: each read may take body_idle, and
// after the first body_idle the average must keep above min_rate.
class BodyPace {
 public:
  BodyPace(const Limits& limits, runtime::MonotonicNs start) noexcept
      : limits_(limits), start_(start) {}

  runtime::MonotonicNs expiry() const noexcept {
    return runtime::after(runtime::monotonic_now(), limits_.body_idle);
  }
  bool keeps_up(std::size_t bytes) noexcept {
    bytes_ += bytes;
    if (bytes >= limits_.min_rate_bytes) return true;
    const runtime::MonotonicNs now = runtime::monotonic_now();
    if (now < runtime::after(start_, limits_.body_idle)) return true;
    const double seconds = static_cast<double>(now - start_) / 1e9;
    return static_cast<double>(bytes_) / seconds >= static_cast<double>(limits_.min_rate_bytes);
  }

 private:
  const Limits& limits_;
  runtime::MonotonicNs start_;
  std::uint64_t bytes_ = 0;
};

}  // namespace segue::gateway
