#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "recorder/journal/counters.hpp"
#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/storage.hpp"
#include "recorder/promise.hpp"

namespace segue::recorder {

class Lane;

// The thread that brings frames to the disk when somebody waits for it, and keeps a promise a lane:
// every frame up to here survives a power cut. One group sync serves all that wait: it begins at
// once when the one before began at least the interval ago, else then. A segment that its lane
// left is synced before the promise goes past it, and so is the folder that names it.
//
// A sync that failed is not tried again, for the kernel may say success to the second try without
// having written what the first could not: the promise stays in front of that segment's frames. It
// goes on behind them when their lane has left the segment and whoever waited has given up
// (`failure_hold`). What could not be opened to sync it, for want of a descriptor say, is no failure:
// it is tried again soon.
class Syncer {
 public:
  struct Settings {
    std::filesystem::path directory;  // of the journal
    std::filesystem::path run;
    std::chrono::milliseconds interval{50};
    std::chrono::milliseconds failure_hold{0};
  };

  // `storage` and the lanes must outlive it.
  Syncer(const Storage& storage, Settings settings,
         const std::vector<std::unique_ptr<Lane>>& lanes);
  ~Syncer();
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;

  Promise& promise(unsigned lane) noexcept { return lanes_[lane]->promise; }

  // Lane's thread: from here on it appends to the segment at `path`, beginning with this frame. One
  // system call.
  void entered(unsigned lane, const std::filesystem::path& path,
               std::uint64_t first_lane_sequence);

  // Any thread. Whether a segment that its lane left may be recycled: what it holds, and what the
  // lane carried over from it up to this frame, is on the disk, or never will be.
  bool allows_recycling(unsigned lane, std::uint64_t last_carried) const noexcept;
  // Any thread. Room is needed: syncs every lane that has something left to sync.
  void demand() noexcept;

  void start();
  void stop();

  // Any thread.
  std::uint64_t syncs() const noexcept { return syncs_.value(); }
  std::uint64_t failures() const noexcept { return failures_.value(); }

 private:
  // A segment that may hold frames that are not on the disk.
  struct Unsynced {
    std::filesystem::path path;
    FileHandle file;  // of its own, so that nobody else is told of its failures
    std::uint64_t first_lane_sequence;
    bool named = false;          // its name is on the disk
    std::int64_t failed_ns = 0;  // when a sync of it failed, or its lane was seen to have left it
    Unsynced* next = nullptr;
  };
  struct LaneSync {
    const Lane* lane = nullptr;
    std::filesystem::path folder;
    Promise promise;
    std::atomic<Unsynced*> entered{nullptr};   // from the lane, youngest first
    std::atomic<bool> failed{false};           // at the first of the segments
    std::deque<std::unique_ptr<Unsynced>> segments;  // oldest first; the thread's own
  };

  void run();
  void wake() noexcept;
  void take_wake(int patience_ms) noexcept;
  bool wait_until(std::int64_t due_ns);
  bool is_wanted(LaneSync& lane, bool demanded);
  void collect(LaneSync& lane);
  enum class Outcome : std::uint8_t { synced, failed, not_now };
  void sync_lane(LaneSync& lane);
  Outcome sync_segment(LaneSync& lane, Unsynced& segment);
  Outcome sync_folder(const std::filesystem::path& folder);
  void sync_behind_failure(LaneSync& lane);
  bool sync_names_of_run();
  void forget_failure(LaneSync& lane);

  const Storage& storage_;
  const Settings settings_;
  const FileHandle event_;
  std::vector<std::unique_ptr<LaneSync>> lanes_;
  enum class Names : std::uint8_t { unsynced, synced, failed } names_ = Names::unsynced;
  bool again_ = false;  // something could not be opened in this round
  Counter syncs_;
  Counter failures_;
  std::atomic<bool> demanded_{false};
  std::atomic<bool> pending_{false};  // a wake-up is on its way
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace segue::recorder
