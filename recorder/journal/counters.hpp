#pragma once

#include <atomic>
#include <cstdint>

#include "recorder/journal/segment_pages.hpp"

namespace segue::recorder {

// A count with one writer that any thread may read; who reads it sees what was done before it was
// counted.
class Counter {
 public:
  void add(std::uint64_t n) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_release);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// What became of one lane so far; written by the lane's thread.
struct LaneCounters {
  Counter frames;           // committed, carried-over intents included
  Counter bytes;            // of those frames, with headers and padding
  Counter stalls;           // the keeper came late: pages had to fault in, or a segment was made
                            // by the lane itself
  Counter refused;          // begin() or reserve() found no room
  Counter carried_intents;  // open intents appended again at a segment's start
};

// The whole journal at one moment.
struct JournalStatus {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t stalls = 0;
  std::uint64_t refused = 0;
  std::uint64_t overwritten_frames = 0;    // by the ring, before anybody had to read them
  std::uint64_t overwritten_segments = 0;
  std::uint64_t removed_runs = 0;          // dead runs that made room
  std::uint64_t bytes_on_disk = 0;         // of all runs in the folder
  std::uint64_t segments = 0;              // of this run
  std::uint64_t recovered_intents = 0;     // at the start, from dead runs
  std::uint64_t cut_bytes = 0;             // of dead runs' last segments, behind the last frame
  std::uint64_t syncs = 0;                 // group syncs, for durability: disk
  std::uint64_t sync_failures = 0;         // segments whose frames could not be synced
  SegmentPages pages = SegmentPages::lean;  // which way was chosen at the start
};

}  // namespace segue::recorder
