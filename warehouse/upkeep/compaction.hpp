#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/upkeep/closed_days.hpp"
#include "warehouse/upkeep/term.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

struct CompactionOptions {
  // Days from here on stay as they are, and all behind that of the newest claim.
  Day before{};
  std::uint64_t target_bytes = 512 << 20;  // of a file that is made; more where one input is longer
  std::chrono::seconds grace{24 * 3600};   // raw files stay so long after their day was compacted
};

// One day that is compacted, or would be.
struct DayCompaction {
  Day day{};
  std::uint64_t inputs = 0;  // files
  std::uint64_t input_bytes = 0;
  std::uint64_t rows = 0;     // of the inputs
  std::uint64_t removed = 0;  // of them: they were there already. Not known before
  std::uint64_t outputs = 0;  // files. Not known before
  std::uint64_t output_bytes = 0;
};

struct CompactionReport {
  std::vector<DayCompaction> days;  // those that hold something
  std::optional<Day> watermark;     // as it is now, or would be
  std::uint64_t raw_files = 0;      // whose grace period is over
  std::uint64_t raw_bytes = 0;
  std::uint64_t leftovers = 0;      // files of dead writers, which are no objects
  std::string blocked;  // why it ends before `before`, and what to do; empty: it does not
  std::vector<std::string> warnings;  // of Term
};

// Makes few large files of a closed day's many and then moves the watermark behind it, day after
// day. In a file, rows come as they lay, then those of failures, then FINISH records; what a FINISH
// says is written into the row of its exchange. Rows that a publisher sent twice are left out, also
// when it was in an earlier day. What was written is counted against what was read before it is
// published.
//
// Whatever moment it is killed at: until the watermark moves, raw files are the day; from then on
// compacted ones are. One thread; what is given outlives it.
class Compactor {
 public:
  // `now`: Unix microseconds.
  Compactor(Archive& archive, Workbench& bench, const CompactionOptions& options, std::int64_t now,
            UpkeepWatch watch = {});

  // What run() would do. Reads books alone.
  CompactionReport plan();
  // Throws StorageError, RemoteError, UpkeepEnded.
  CompactionReport run();

 private:
  // nullopt: nothing is there to compact.
  std::optional<Day> first_day(const DayClaims& claims) const;
  void close_days(Day from, const DayClaims& claims, Tenure& tenure);
  std::string waiting_for(const DayClaims& claims, Day day) const;
  static std::string left_alone(const DayClaims& claims, Day day, const Term& term);
  DayCompaction compact(Day day, const DayClaims& claims, Tenure& tenure);
  void remove_raw(CompactionReport& report, Tenure* tenure);

  Archive& archive_;
  Workbench& bench_;
  CompactionOptions options_;
  std::int64_t now_;
  UpkeepWatch watch_;
  std::uint64_t rows_done_ = 0;
  std::uint64_t rows_total_ = 0;
};

// Days whose compaction was begun and not ended leave files behind that nobody reads: removes them.
void remove_unfinished(Archive& archive, Tenure& tenure);

}  // namespace segue::warehouse
