#pragma once

#include <atomic>
#include <cstdint>

namespace segue::recorder {

// A count with one writing thread; any thread may read it. Relaxed, and no read-modify-write.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

}  // namespace segue::recorder
