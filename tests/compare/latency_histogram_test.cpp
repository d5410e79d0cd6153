#include "compare/latency_histogram.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace segue::compare {
namespace {

TEST_CASE("percentiles are those of the sorted durations, within their known error") {
  std::mt19937_64 random(1);
  for (const double spread : {0.5, 2.0, 5.0}) {
    std::lognormal_distribution<double> durations(8, spread);
    LatencyHistogram histogram;
    std::vector<std::int64_t> sorted;
    for (int i = 0; i < 20'000; ++i) {
      const auto duration = static_cast<std::int64_t>(std::min(durations(random), 6e10));
      histogram.add(duration);
      sorted.push_back(duration);
    }
    std::ranges::sort(sorted);
    for (const double share : {0.01, 0.5, 0.95, 0.99, 1.0}) {
      const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000)) - 1;
      const auto exact = static_cast<double>(sorted[rank]);
      INFO("spread " << spread << ", share " << share);
      CHECK(std::abs(static_cast<double>(histogram.percentile(share)) - exact) <=
            exact / 128 + 0.5);
    }
  }
}

TEST_CASE("every duration has a bucket, and none is far from its middle") {
  for (unsigned bit = 0; bit < LatencyHistogram::kLongestBits; ++bit) {
    for (const std::int64_t offset : {-1, 0, 1}) {
      const std::int64_t duration = std::max<std::int64_t>(0, (std::int64_t{1} << bit) + offset);
      LatencyHistogram histogram;
      histogram.add(duration);
      const std::int64_t found = histogram.percentile(0.5);
      INFO(duration);
      CHECK(std::abs(found - duration) <= duration / 128 + 1);
    }
  }
}

TEST_CASE("what no clock can have measured is counted at the ends") {
  LatencyHistogram histogram;
  CHECK(histogram.percentile(0.5) == 0);
  CHECK(histogram.latency().count == 0);
  histogram.add(-5);
  CHECK(histogram.percentile(0.5) == 0);
  histogram.add(std::numeric_limits<std::int64_t>::max());
  histogram.add(LatencyHistogram::kLongest);
  CHECK(histogram.latency().count == 3);
  CHECK(histogram.percentile(1.0) >
        LatencyHistogram::kLongest - LatencyHistogram::kLongest / 128 - 1);
}

}  // namespace
}  // namespace segue::compare
