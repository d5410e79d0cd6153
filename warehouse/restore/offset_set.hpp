#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace segue::warehouse {

// Offsets, in little memory when they come in runs.
class OffsetSet {
 public:
  void add(std::uint64_t offset) {
    if (contains(offset)) return;
    std::uint64_t first = offset;
    std::uint64_t last = offset;
    const auto behind = runs_.find(offset + 1);
    if (behind != runs_.end()) {
      last = behind->second;
      runs_.erase(behind);
    }
    const auto before = at_most(offset);
    if (before != runs_.end() && before->second + 1 == offset) first = before->first;
    runs_[first] = last;
  }

  bool contains(std::uint64_t offset) const {
    const auto run = at_most(offset);
    return run != runs_.end() && offset <= run->second;
  }

 private:
  using Runs = std::map<std::uint64_t, std::uint64_t>;  // first to last
  // The run that begins at or before `offset`.
  Runs::const_iterator at_most(std::uint64_t offset) const {
    const auto behind = runs_.upper_bound(offset);
    return behind == runs_.begin() ? runs_.end() : std::prev(behind);
  }

  Runs runs_;
};

}  // namespace segue::warehouse
