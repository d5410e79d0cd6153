#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

namespace segue::recorder {

// How far the frames of one lane have come with one promise: synced to the disk, or acknowledged
// by Kafka. One thread keeps the promise and calls advance(); the lane's core asks and waits. A
// lock is taken only where somebody waits. Neither copied nor moved.
class Promise {
 public:
  Promise() = default;
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  // Before any thread uses it. `nudge` tells the keeper's thread that somebody waits; called by the
  // core, must not block.
  void on_want(std::function<void()> nudge) { nudge_ = std::move(nudge); }

  // Core's side. `kept` is called by the keeper's thread when something that was wanted has been
  // reached; it must not block. Once on_kept({}) has returned it is not called any more.
  void on_kept(std::function<void()> kept) {
    const std::lock_guard lock(mutex_);
    kept_ = std::move(kept);
  }
  // Every frame up to this lane_sequence has come so far.
  bool reached(std::uint64_t lane_sequence) const noexcept {
    return reached_.load(std::memory_order_seq_cst) >= lane_sequence;
  }
  // Somebody waits for this frame: ask reached() after this, before waiting for `kept`.
  void want(std::uint64_t lane_sequence) {
    if (lane_sequence > wanted_.load(std::memory_order_relaxed))
      wanted_.store(lane_sequence, std::memory_order_seq_cst);
    if (nudge_) nudge_();
  }

  // Keeper's side. The highest frame that anybody ever waited for.
  std::uint64_t wanted() const noexcept { return wanted_.load(std::memory_order_seq_cst); }
  std::uint64_t value() const noexcept { return reached_.load(std::memory_order_relaxed); }
  void advance(std::uint64_t lane_sequence) {
    const std::uint64_t before = value();
    if (lane_sequence <= before) return;
    reached_.store(lane_sequence, std::memory_order_seq_cst);
    if (wanted() <= before) return;
    const std::lock_guard lock(mutex_);
    if (kept_) kept_();
  }

 private:
  std::atomic<std::uint64_t> reached_{0};
  std::atomic<std::uint64_t> wanted_{0};
  std::function<void()> nudge_;
  std::mutex mutex_;
  std::function<void()> kept_;
};

}  // namespace segue::recorder
