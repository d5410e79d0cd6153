#pragma once

#include <cstdint>
#include <vector>

#include "compare/report.hpp"

namespace segue::compare {

// Durations in microseconds, counted in buckets whose width grows with them: 64 to each power of
// two, so that a percentile is off by at most 1/128 (0.8 %). Bounded: at most kBuckets counters,
// and no more than the longest duration needs. What is longer than kLongest counts as that.
class LatencyHistogram {
 public:
  static constexpr unsigned kSubBits = 6;
  static constexpr unsigned kLongestBits = 36;  // of kLongest, 19 hours
  static constexpr std::int64_t kLongest = (std::int64_t{1} << kLongestBits) - 1;
  static constexpr std::size_t kBuckets = (kLongestBits - kSubBits + 1) << kSubBits;

  void add(std::int64_t microseconds);
  // By nearest rank: of n durations, the ceil(share * n)-th. 0: there are none.
  std::int64_t percentile(double share) const noexcept;
  Latency latency() const noexcept;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace segue::compare
