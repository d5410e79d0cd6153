#include "recorder/publisher/hot_keys.hpp"

#include <algorithm>
#include <functional>

namespace segue::recorder {
namespace {

// Space-Saving is sure of a key above 1/n of all records with more than n counters; four times as
// many keep its error small.
std::size_t counters_for(double share) noexcept {
  const double wanted = 4 / std::max(share, 1e-6);
  return static_cast<std::size_t>(
      std::clamp(wanted, 64.0, static_cast<double>(HotKeys::kMostCounters)));
}

}  // namespace

HotKeys::HotKeys(const kafka::HotKeySettings& settings)
    : buckets_(settings.buckets),
      share_(settings.above_percent / 100),
      capacity_(counters_for(share_)) {
  if (!enabled()) return;
  counters_.reserve(capacity_);
  heap_.reserve(capacity_);
  index_.reserve(capacity_);
}

unsigned HotKeys::bucket_of(std::string_view key, std::string_view exchange_id) {
  if (++total_ >= kWindow) halve();
  Counter& counter = counter_of(key);
  const double share = share_ * static_cast<double>(total_);
  if (counter.hot)
    counter.hot = static_cast<double>(counter.count) >= share / 2;
  else
    counter.hot = total_ >= kTooFew && static_cast<double>(counter.count - counter.error) > share;
  if (!counter.hot) return kNoBucket;
  return static_cast<unsigned>(std::hash<std::string_view>{}(exchange_id) % buckets_);
}

HotKeys::Counter& HotKeys::counter_of(std::string_view key) {
  if (const auto found = index_.find(key); found != index_.end()) {
    Counter& counter = counters_[found->second];
    ++counter.count;
    sink(counter.heap_at);
    return counter;
  }
  if (counters_.size() < capacity_) {
    const auto fresh = static_cast<std::uint32_t>(counters_.size());
    counters_.push_back({.key = std::string(key), .count = 1, .error = 0, .heap_at = fresh});
    heap_.push_back(fresh);
    index_.emplace(counters_[fresh].key, fresh);
    rise(fresh);
    return counters_[fresh];
  }
  const std::uint32_t least = heap_.front();
  Counter& counter = counters_[least];
  index_.erase(counter.key);
  counter.key.assign(key);
  counter.error = counter.count++;
  counter.hot = false;
  index_.emplace(counter.key, least);
  sink(0);
  return counter;
}

// Keeps the heap's order: halving never turns a smaller count into a larger one.
void HotKeys::halve() noexcept {
  total_ /= 2;
  for (Counter& counter : counters_) {
    counter.count /= 2;
    counter.error /= 2;
  }
}

void HotKeys::place(std::size_t at, std::uint32_t counter) noexcept {
  heap_[at] = counter;
  counters_[counter].heap_at = at;
}

void HotKeys::rise(std::size_t at) noexcept {
  const std::uint32_t moved = heap_[at];
  while (at > 0 && count_at((at - 1) / 2) > counters_[moved].count) {
    place(at, heap_[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  place(at, moved);
}

void HotKeys::sink(std::size_t at) noexcept {
  const std::uint32_t moved = heap_[at];
  for (std::size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
    if (child + 1 < heap_.size() && count_at(child + 1) < count_at(child)) ++child;
    if (count_at(child) >= counters_[moved].count) break;
    place(at, heap_[child]);
    at = child;
  }
  place(at, moved);
}

}  // namespace segue::recorder
