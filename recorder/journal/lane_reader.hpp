#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "recorder/journal/damage.hpp"
#include "recorder/journal/open_intents.hpp"
#include "recorder/journal/reader.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace segue::recorder {

// Whether the process of a run may still append.
enum class RunLife : std::uint8_t { alive, dead };

// Reads the frames of one lane in order, over all its segments. Damage goes into the list given,
// which must outlive it, as must the run's name. One thread.
class LaneReader {
 public:
  enum class Look : std::uint8_t { frame, nothing, finished };

  LaneReader(std::filesystem::path run, std::string_view run_name, std::uint32_t lane,
             const ReadOptions& options, std::vector<Damage>& damage);

  // Makes the next frame available as head(). `finished` comes once, from a dead run only.
  Look look(RunLife life);
  // After look() said frame, until pop(). Its payload is valid until the look after that.
  const Frame& head() const noexcept { return *head_; }
  void pop() noexcept { head_.reset(); }

 private:
  Look at_end(RunLife life);
  bool open_first();
  bool open_after(std::uint64_t sequence);
  bool open(std::uint64_t sequence);
  bool take(const SegmentScanner::Step& step);
  std::optional<std::uint64_t> next_written(RunLife life) const;
  void note(std::uint64_t offset, std::uint64_t lost, const char* what);
  void note_missing(std::uint64_t offset, std::uint64_t lost);
  std::filesystem::path path(std::uint64_t sequence) const;

  const std::filesystem::path run_;
  const std::string_view run_name_;
  const std::uint32_t lane_;
  const ReadOptions options_;
  std::vector<Damage>& damage_;

  bool started_ = false;
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
