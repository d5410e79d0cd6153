#include "compare/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace segue::compare {
namespace {

constexpr unsigned kSubBits = LatencyHistogram::kSubBits;

// Below 2^kSubBits each value has a bucket of its own; above, those of one power of two share
// theirs by their leading kSubBits + 1 bits.
std::size_t bucket_of(std::int64_t value) noexcept {
  const auto bits = static_cast<std::uint64_t>(value);
  const auto shift = static_cast<unsigned>(std::bit_width(bits >> kSubBits));
  if (shift <= 1) return bits;
  return (std::size_t{shift - 1} << kSubBits) + (bits >> (shift - 1));
}

std::int64_t middle_of(std::size_t bucket) noexcept {
  if (bucket < (std::size_t{2} << kSubBits)) return static_cast<std::int64_t>(bucket);
  const std::size_t shift = (bucket >> kSubBits) - 1;
  const std::size_t leading = bucket - (shift << kSubBits);
  return static_cast<std::int64_t>((leading << shift) + (std::size_t{1} << (shift - 1)));
}

}  // namespace

void LatencyHistogram::add(std::int64_t microseconds) {
  const std::size_t bucket = bucket_of(std::clamp<std::int64_t>(microseconds, 0, kLongest));
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++total_;
}

std::int64_t LatencyHistogram::percentile(double share) const noexcept {
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(total_)));
  std::uint64_t passed = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    passed += counts_[bucket];
    if (passed >= rank && passed > 0) return middle_of(bucket);
  }
  return 0;
}

Latency LatencyHistogram::latency() const noexcept {
  return {total_, percentile(0.5), percentile(0.95), percentile(0.99)};
}

}  // namespace segue::compare
