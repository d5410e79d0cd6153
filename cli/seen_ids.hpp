#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>

namespace segue::cli {

// Remembers the last ids that were given to it; older ones are forgotten, so that memory is
// bounded. One thread.
class SeenIds {
 public:
  static constexpr std::size_t kRemembered = 262'144;  // about 30 MB

  // Whether it was there already; it is from now on.
  bool seen_before(std::string_view id) {
    if (!ids_.emplace(id).second) return true;
    order_.emplace_back(id);
    if (order_.size() > kRemembered) {
      ids_.erase(order_.front());
      order_.pop_front();
    }
    return false;
  }
  bool contains(std::string_view id) const { return ids_.contains(std::string(id)); }

 private:
  std::unordered_set<std::string> ids_;
  std::deque<std::string> order_;
};

}  // namespace segue::cli
