#pragma once

#include <time.h>

#include <cstdint>

namespace segue::recorder {

inline std::int64_t clock_ns(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

inline std::int64_t monotonic_ns() noexcept { return clock_ns(CLOCK_MONOTONIC); }
inline std::int64_t unix_ns() noexcept { return clock_ns(CLOCK_REALTIME); }

}  // namespace segue::recorder
