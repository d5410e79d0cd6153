#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "recorder/journal/counters.hpp"
#include "recorder/journal/damage.hpp"
#include "recorder/journal/open_intents.hpp"
#include "recorder/journal/reader.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace segue::recorder {

// Whether the process of a run may still append, or died, or recovery was there: then open intents
// were appended as exchanges.
enum class RunLife : std::uint8_t { alive, dead, sealed };

// Where a lane is read from, and what came of it: outlives the reader of the lane, so that another
// can begin again without counting twice.
struct LaneTrack {
  std::uint64_t behind = 0;            // frames up to this lane_sequence are skipped
  const Counter* committed = nullptr;  // of a lane of this process: frames it has committed
  std::uint64_t end = 0;               // of a sealed run: the last lane_sequence of the lane
  // Whoever read here may have been further than `behind` says: what is missing before the first
  // frame that is met was recycled when it was passed, and is not lost. The reader takes it back.
  bool begins_anywhere = false;
  // Set by the reader.
  std::uint64_t passed = 0;   // every frame up to here was shown, or is none to show, or is lost
  std::uint64_t seen = 0;     // the highest that any reader met; what was missing before is counted
  std::uint64_t missing = 0;  // frames that were not there when their successors were
  bool finished = false;      // look() said so
};

// Reads the frames of one lane in order, over all its segments; with a track from behind a place,
// skipping whole segments, and only of runs that are alive or sealed. Damage goes into the list
// given, which must outlive it, as must the track and the run's name. One thread.
class LaneReader {
 public:
  enum class Look : std::uint8_t { frame, nothing, finished };

  LaneReader(std::filesystem::path run, std::string_view run_name, std::uint32_t lane,
             const ReadOptions& options, std::vector<Damage>& damage, LaneTrack* track = nullptr);

  // Makes the next frame available as head(). `finished` comes once, never from a run that lives.
  // `nothing` of a run that is over: a folder or segment that is there cannot be opened (which is
  // told once); the next look tries again.
  Look look(RunLife life);
  // After look() said frame, until pop(). Its payload is valid until the look after that.
  const Frame& head() const noexcept { return *head_; }
  void pop() noexcept {
    if (track_ != nullptr) track_->passed = head_->lane_sequence;
    head_.reset();
  }

 private:
  Look at_end(RunLife life);
  bool is_up_to_date(RunLife life) const noexcept;
  void finish_track() noexcept;
  bool open_first();
  bool open_behind();
  bool open_after(std::uint64_t sequence);
  bool open(std::uint64_t sequence);
  void cannot_open(std::uint64_t sequence, const Error& error);
  std::vector<std::uint64_t> segments();
  bool take(const SegmentScanner::Step& step);
  std::uint64_t missing_before(std::uint64_t lane_sequence) const noexcept;
  std::optional<std::uint64_t> next_written(RunLife life);
  void note(std::uint64_t offset, std::uint64_t lost, const char* what);
  void note_missing(std::uint64_t offset, std::uint64_t lost);
  std::filesystem::path path(std::uint64_t sequence) const;

  const std::filesystem::path run_;
  const std::string_view run_name_;
  const std::uint32_t lane_;
  const ReadOptions options_;
  std::vector<Damage>& damage_;
  LaneTrack* const track_;

  bool started_ = false;
  bool blocked_ = false;  // this look met something that is there and cannot be opened
  bool blocked_told_ = false;
  std::uint64_t sequence_ = 0;  // of the open or last segment
  std::optional<FileSource> source_;
  std::optional<SegmentScanner> scanner_;
  bool damaged_here_ = false;              // the open segment ends in damage, which was noted
  std::optional<std::size_t> open_damage_;  // its entry, until the next frame says what was lost
  std::uint64_t expected_ = 0;             // lane_sequence; 0: any
  std::int64_t last_commit_ns_ = 0;
  OpenIntents open_intents_;
  std::deque<std::string> interrupted_;    // payloads to show at the end of a dead run
  bool ended_ = false;
  std::string shown_;
  std::optional<Frame> head_;
};

}  // namespace segue::recorder
