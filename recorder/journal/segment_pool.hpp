#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/consumers.hpp"
#include "recorder/journal/counters.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_file.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

class Syncer;

// A segment in a lane's hands, from its preparation to its retirement.
struct Segment {
  // Shared with the next life, for the keeper may still be at work on this one.
  std::shared_ptr<SegmentFile> file;
  std::uint32_t lane = 0;
  std::uint64_t sequence = 0;
  std::uint32_t seed = 0;
  std::atomic<std::uint64_t> position{0};   // of the lane, told at window crossings
  std::atomic<std::uint64_t> populated{0};  // pages before it are present; the keeper's word
  std::uint64_t written_back = 0;           // the keeper's alone, as is the next
  std::uint64_t kept_from = 0;              // pages before it were dropped
  std::uint64_t frames = 0;                 // set by the lane when it retires the segment
  std::uint64_t last_lane_sequence = 0;
  std::uint64_t last_carried = 0;           // the last open intent that was appended again behind it
  Segment* next_retired = nullptr;
};

// The disk space of one run: makes segments, takes retired ones back, and decides what goes when
// max_size is reached. Any thread; the books' lock covers no system call, so that a lane that must
// help itself does not wait for the keeper (except while that removes a dead run, which is what
// the lane would have to do).
class SegmentPool {
 public:
  SegmentPool(const Storage& storage, const JournalSettings& settings, std::uint64_t segment_bytes,
              std::filesystem::path run, std::string run_name, unsigned lanes);
  ~SegmentPool();

  // A fresh or recycled segment for the lane. Fails with ENOSPC when max_size or the disk is
  // reached and nothing may go.
  Result<std::unique_ptr<Segment>> acquire(std::uint32_t lane);
  // A prepared segment that came too late to be used.
  void discard(std::unique_ptr<Segment> segment);
  // A segment that its lane has left. It stays until bury(), for the keeper may be at work on
  // it. No lock.
  void retire(std::unique_ptr<Segment> segment) noexcept;
  // Keeper only. Lean: starts the writeback of what was retired, and unmaps what was so the last
  // time. Warm: lets go of the segments' former lives; their maps wait for the next.
  void bury();
  // Keeper only: whether bury() has something left to unmap.
  bool burying() const noexcept { return !dying_.empty(); }

  // Before lanes are used; the syncer must outlive the last acquire().
  void recycle_only_synced(Syncer& syncer) noexcept { syncer_.store(&syncer); }

  // Counts what other runs take and removes dead ones that every consumer passed, if there are any.
  void look_around();
  // Keeper only: look_around(), but not more often than is worth it, for it looks at every file of
  // the folder.
  void keep_watch();

  // Keeper only: finds out whether room is scarce(). `Spares::lacking`: a lane has none.
  enum class Spares : std::uint8_t { there, lacking };
  void weigh(Spares spares);
  // Any thread: half of max_size waits for consumers, or there is no room at all. What can be done
  // without is not recorded then, so that what cannot be is. A ring is never scarce.
  bool scarce() const noexcept { return scarce_.load(std::memory_order_relaxed); }

  std::uint64_t segment_bytes() const noexcept { return segment_bytes_; }
  SegmentPages pages() const noexcept { return pages_; }
  void add_to(JournalStatus& status) const;

 private:
  struct Record {
    std::uint32_t lane;
    std::uint64_t sequence;
    std::uint64_t frames;
    std::uint64_t last_lane_sequence;
    std::uint64_t last_carried;
    std::shared_ptr<SegmentFile> file;  // at rest; none in lean
  };
  struct Claim {
    std::uint64_t sequence = 0;
    bool fresh = true;
    Record former{};
  };

  Result<Claim> claim_fresh(std::uint32_t lane);
  Result<Claim> claim_former(std::uint32_t lane);
  Result<std::shared_ptr<SegmentFile>> open_file(const Claim& claim, const SegmentHeader& header,
                                                 const std::filesystem::path& path);
  Result<std::unique_ptr<Segment>> prepare(std::uint32_t lane, const Claim& claim);
  void give_back(const Claim& claim);
  void collect();
  std::vector<std::string> registered();
  std::optional<ConsumedTo> consumed();
  bool over_limit(std::uint64_t more) const noexcept;
  std::deque<Record>::iterator find_recyclable(const std::optional<ConsumedTo>& consumed);
  bool may_go(const Record& record, const std::optional<ConsumedTo>& consumed) const;
  void count_overwritten(const Record& record, const std::optional<ConsumedTo>& consumed);
  void shrink();
  enum class Unread : std::uint8_t { kept, removed };
  bool remove_dead_run(Unread unread);
  void count_others();

  const Storage& storage_;
  const JournalSettings settings_;
  const std::uint64_t segment_bytes_;
  const std::filesystem::path run_;
  const std::string run_name_;
  const std::vector<std::uint32_t> lanes_;
  const BootId boot_;
  const SegmentPages pages_;
  std::atomic<Syncer*> syncer_{nullptr};

  std::vector<std::unique_ptr<Segment>> dying_;  // the keeper's alone
  std::atomic<bool> scarce_{false};
  std::atomic<Segment*> left_{nullptr};   // retired, not yet in the books
  std::int64_t next_watch_ns_ = 0;        // the keeper's alone
  std::mutex removal_mutex_;
  mutable std::mutex mutex_;              // the books, below
  std::deque<Record> retired_;            // oldest first
  std::vector<std::string> registered_;   // consumers, as of the last look that succeeded
  std::vector<std::unique_ptr<Segment>> graves_;
  std::vector<std::uint64_t> next_sequence_;
  std::uint64_t own_bytes_ = 0;
  std::uint64_t other_bytes_ = 0;
  std::uint64_t overwritten_frames_ = 0;
  std::uint64_t overwritten_segments_ = 0;
  std::uint64_t removed_runs_ = 0;
};

}  // namespace segue::recorder
