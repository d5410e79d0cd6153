#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace segue::gateway {

// Lines for whoever looks after the gateway. Cores tell them, the main thread takes and says them,
// for no core may wait for a terminal. Any thread; for what happens rarely, as it locks.
class Notices {
 public:
  static constexpr std::size_t kMost = 1000;  // that were not taken yet; more are dropped

  void tell(std::string line) {
    const std::lock_guard lock(mutex_);
    if (lines_.size() < kMost) lines_.push_back(std::move(line));
  }
  // In the order in which they were told.
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace segue::gateway
