#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace segue::recorder {

// How unevenly the records of late fell on a topic's partitions: the most loaded one over the mean,
// 1 when they are even. Counts are halved every kWindow records, so the past fades. One thread.
class PartitionSkew {
 public:
  static constexpr std::uint64_t kWindow = 20'000;       // records
  static constexpr std::uint64_t kFewPerPartition = 20;  // with fewer, chance says more than keys

  void delivered(std::int32_t partition);
  // `partitions`: how many the topic has, those without a record too. 0: unknown as yet.
  double value(std::size_t partitions) const noexcept;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t total_ = 0;
};

}  // namespace segue::recorder
