#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

namespace segue::recorder {

// How far the frames of one lane have come with one promise: synced to the disk, or acknowledged
// by Kafka. One thread keeps the promise and calls advance(); the lane's core asks and waits.
// Lock-free; neither copied nor moved.
class Promise {
 public:
  Promise() = default;
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;

  // Before any thread uses it. `nudge`: tells the keeper's thread that somebody waits; called by
  // the core, must not block. `kept`: something that was wanted has been reached; called by the
  // keeper's thread, must not block.
  void on_want(std::function<void()> nudge) { nudge_ = std::move(nudge); }
  void on_kept(std::function<void()> kept) { kept_ = std::move(kept); }

  // Core's side. Every frame up to this lane_sequence has come so far.
  bool reached(std::uint64_t lane_sequence) const noexcept {
    return reached_.load(std::memory_order_acquire) >= lane_sequence;
  }
  // Somebody waits for this frame: `kept` is called once it is reached, if it is not by now.
  void want(std::uint64_t lane_sequence) {
    if (lane_sequence > wanted_.load(std::memory_order_relaxed))
      wanted_.store(lane_sequence, std::memory_order_seq_cst);
    if (nudge_) nudge_();
  }

  // Keeper's side. The highest frame that anybody waits for.
  std::uint64_t wanted() const noexcept { return wanted_.load(std::memory_order_seq_cst); }
  std::uint64_t value() const noexcept { return reached_.load(std::memory_order_relaxed); }
  void advance(std::uint64_t lane_sequence) {
    const std::uint64_t before = reached_.load(std::memory_order_relaxed);
    if (lane_sequence <= before) return;
    reached_.store(lane_sequence, std::memory_order_seq_cst);
    if (wanted() > before && kept_) kept_();
  }

 private:
  std::atomic<std::uint64_t> reached_{0};
  std::atomic<std::uint64_t> wanted_{0};
  std::function<void()> nudge_;
  std::function<void()> kept_;
};

}  // namespace segue::recorder
