#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/settings.hpp"

namespace segue::recorder {

// Finds the keys that take more than their share of the records of late, in bounded memory: the
// Space-Saving algorithm (Metwally, Agrawal, El Abbadi, 2005), with all counts halved every
// kWindow records. A key turns hot when it certainly has more than `above_percent`, and cold again
// below half of that, so that one at the edge does not change its key all the time. One thread.
class HotKeys {
 public:
  static constexpr std::uint64_t kWindow = 20'000;  // records
  static constexpr std::uint64_t kTooFew = 1'000;   // records: nothing is hot before
  static constexpr std::size_t kMostCounters = 8'192;

  explicit HotKeys(const kafka::HotKeySettings& settings);

  bool enabled() const noexcept { return buckets_ > 1; }
  // Counts one record of `key`. The bucket it belongs in when the key is hot, else kNoBucket. Which
  // one follows from the exchange's id alone: a record that is sent again goes the same way, and
  // all buckets fill alike.
  static constexpr unsigned kNoBucket = ~0U;
  unsigned bucket_of(std::string_view key, std::string_view exchange_id);

 private:
  struct Counter {
    std::string key;
    std::uint64_t count = 0;
    std::uint64_t error = 0;  // how much of it another key may have left behind
    std::size_t heap_at = 0;
    bool hot = false;
  };

  Counter& counter_of(std::string_view key);
  void halve() noexcept;
  void rise(std::size_t at) noexcept;
  void sink(std::size_t at) noexcept;
  void place(std::size_t at, std::uint32_t counter) noexcept;
  std::uint64_t count_at(std::size_t at) const noexcept { return counters_[heap_[at]].count; }

  const unsigned buckets_;
  const double share_;
  const std::size_t capacity_;
  std::uint64_t total_ = 0;
  std::vector<Counter> counters_;    // never reallocated: the map's keys point into it
  std::vector<std::uint32_t> heap_;  // of indexes of counters_, the smallest count first
  boost::unordered_flat_map<std::string_view, std::uint32_t> index_;
};

}  // namespace segue::recorder
