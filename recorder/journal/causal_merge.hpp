#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/lane_reader.hpp"
#include "recorder/journal/run_folder.hpp"

namespace segue::recorder {

// A run whose frames are merged with others. Immovable while the merge knows it.
struct MergedRun {
  std::string name;
  std::filesystem::path path;
  BootId boot{};
  std::int64_t began_unix_ns = 0;
  std::int64_t began_ns = 0;  // no frame of it is older
  RunLife life = RunLife::alive;  // kept up by whoever added it
  // Where each lane is read from, and what came of it; none: everything, from the oldest.
  std::map<std::uint32_t, LaneTrack>* tracks = nullptr;

  // What the segments of the run at `path` say of it; nullptr: none of them has a header that can
  // be read, yet. Fails when one is there and cannot be opened.
  static Result<std::unique_ptr<MergedRun>> meet(const std::filesystem::path& path);
};

// Merges the lanes of runs in causal order: those of one boot by commit time with watermarks, boots
// in sequence, the running one last (docs/journal-format.md, "Reading"). Runs are added by whoever
// knows which ones to read. One thread.
class CausalMerge {
 public:
  // Called at the start of each round, after its moment was taken: adds runs that are new, and
  // keeps up the lives of those that were added.
  using LookAround = std::function<Result<void>()>;

  // A frame, and the run it is of. The payload is valid until the next call of next().
  struct Merged {
    Frame frame;
    MergedRun* run;
  };

  // `damage` must outlive it.
  CausalMerge(const ReadOptions& options, std::vector<Damage>& damage, LookAround look_around);
  ~CausalMerge();

  // The run must outlive the merge, or all its lanes must have been read to their end.
  void add(MergedRun& run);

  // The next frame, or nullopt: nothing more for now.
  Result<std::optional<Merged>> next();

  // Every frame that was committed before this moment of the running boot was given out, when
  // next() said nullopt.
  std::int64_t complete_until() const noexcept { return complete_until_; }

 private:
  struct Entered;
  struct Head {
    LaneReader* lane;
    Entered* entered;
  };
  struct Later {
    bool operator()(const Head& a, const Head& b) const noexcept;
  };

  Result<void> begin_round();
  bool choose_boot();
  void enter_due_runs();
  bool enter(MergedRun& run);
  bool is_stuck(const Entered& entered) const noexcept;
  void refill(Entered& entered, LaneReader& lane);
  bool is_over(const MergedRun& run) const noexcept { return run.boot != running_boot_; }
  std::optional<Merged> emit();

  const ReadOptions options_;
  std::vector<Damage>& damage_;
  const LookAround look_around_;
  const BootId running_boot_;

  std::vector<MergedRun*> to_come_;  // not entered
  std::vector<std::unique_ptr<Entered>> entered_;
  std::optional<BootId> boot_;  // whose runs are being merged
  std::map<BootId, std::int64_t> boot_began_;  // order of the boots that are over
  std::priority_queue<Head, std::vector<Head>, Later> heads_;
  std::optional<Head> shown_;  // given out by the last next()
  std::int64_t complete_until_;
};

}  // namespace segue::recorder
