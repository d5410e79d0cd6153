#include "recorder/publisher/skew.hpp"

#include <algorithm>

namespace segue::recorder {

void PartitionSkew::delivered(std::int32_t partition) {
  if (partition < 0) return;
  const auto index = static_cast<std::size_t>(partition);
  if (index >= counts_.size()) counts_.resize(index + 1);
  ++counts_[index];
  if (++total_ < kWindow) return;
  total_ = 0;
  for (std::uint64_t& count : counts_) total_ += count /= 2;
}

double PartitionSkew::value(std::size_t partitions) const noexcept {
  partitions = std::max(partitions, counts_.size());
  if (total_ == 0 || total_ < kFewPerPartition * partitions) return 0;
  const double mean = static_cast<double>(total_) / static_cast<double>(partitions);
  return static_cast<double>(*std::max_element(counts_.begin(), counts_.end())) / mean;
}

}  // namespace segue::recorder
