#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// By created_at, Unix microseconds.
struct TimeRange {
  std::optional<std::int64_t> since;
  std::optional<std::int64_t> until;  // not included

  bool is_everything() const noexcept { return !since && !until; }
};

// Some records of a chain that lie in the same files, and where.
struct ArchivedRange {
  Chain chain;
  std::uint64_t start = 0;
  std::uint64_t end = 0;  // the last one
  std::uint64_t rows = 0;   // when they were archived
  std::uint64_t bytes = 0;  // of the files that they were archived in
  std::vector<std::string> keys;  // of the files

  // At most how many offsets are read at a time, so that their rows are sorted in memory.
  std::uint64_t slice() const noexcept;
};

// What an archive has of a chain, and what it has not.
struct ArchivedChain {
  std::vector<ArchivedRange> ranges;
  std::uint64_t lost = 0;        // offsets that its source had not any more
  std::uint64_t forgotten = 0;   // rows that `forget` took out
  std::uint64_t unfinished = 0;  // offsets that are claimed, but in no file yet
};

// The ranges of a chain that may hold something of `times`, in their order: in the files of raw/
// that their claims name, or, of days that were compacted, in all files of the day. Throws
// StorageError: also where such a day has no files any more; RemoteError.
ArchivedChain find_ranges(const Archive& archive, const Chain& chain, const TimeRange& times);

// Makes the view `archived` over the files of a range.
void open_files(Engine& engine, const ArchivedRange& range);
// "archived WHERE ...": the rows of that view which are of the range from `first` to `last`. With
// times, only what has one.
std::string rows_of(const Chain& chain, std::uint64_t first, std::uint64_t last,
                    const TimeRange& times);

}  // namespace segue::warehouse
