#pragma once

#include <time.h>

#include <chrono>
#include <cstdint>
#include <limits>

namespace segue::runtime {

// Nanoseconds of CLOCK_MONOTONIC.
using MonotonicNs = std::int64_t;

// An Expiry at which nothing expires.
inline constexpr MonotonicNs kNever = std::numeric_limits<MonotonicNs>::max();

inline MonotonicNs monotonic_now() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// The same, up to 4 ms behind and several times cheaper: for expiries, which the deadline wheel
// rounds to its tick anyway.
inline MonotonicNs coarse_now() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Microseconds since the Unix epoch.
inline std::int64_t unix_micros_now() noexcept {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

inline MonotonicNs after(MonotonicNs start, std::chrono::milliseconds delay) noexcept {
  return start + std::chrono::nanoseconds(delay).count();
}

}  // namespace segue::runtime
