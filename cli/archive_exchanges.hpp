#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cli/seen_ids.hpp"
#include "cli/source.hpp"
#include "cli/statement_end.hpp"
#include "recorder/exchange.pb.h"
#include "warehouse/archive/archive.hpp"
#include "warehouse/sql/engine.hpp"
#include "warehouse/sql/record_rows.hpp"

namespace segue::cli {

// Ids from `low` to `high`, both included, in canonical text: those that begin alike.
struct IdRange {
  std::string low;
  std::string high;
};

// Which part of an archive is read.
struct ArchiveRange {
  std::int64_t since = 0;          // Unix microseconds; nothing older comes
  std::uint64_t last_records = 0;  // from the last so many on, at least; 0: all
  std::string condition{};         // of SQL, over the columns of an archive; empty: all
  std::optional<IdRange> ids{};    // these, and FINISH records of them
  enum class Follow : std::uint8_t { no, yes } follow = Follow::no;
};

// The exchanges of an archive, FINISH records among them: day by day as they were archived, within
// a day by created_at; each once, as long as its id is remembered (SeenIds). What is in memory at a
// time is a slice of kSliceRows rows. Once interrupted() neither the store is waited for nor the
// engine: what asks them throws. One thread.
class ArchiveExchanges {
 public:
  static constexpr std::uint64_t kSliceRows = 16'384;
  // How often an archive that is followed is looked at.
  static constexpr std::chrono::milliseconds kLook{2'000};

  // Throws StorageError, RemoteError.
  ArchiveExchanges(const ArchiveSource& source, ArchiveRange range);
  ~ArchiveExchanges();

  // False: nothing more, for now or for good. What is given may be taken. Throws SqlError,
  // StorageError, RemoteError.
  bool next(v1::Exchange& exchange);

  // Rows, for a progress bar; of days to come an estimate by the size of their files.
  std::uint64_t expected() const;
  std::uint64_t passed() const { return passed_; }
  // On standard error, a line each: what was skipped, and what was there twice.
  void tell();

 private:
  struct ArchivedDay {
    std::vector<std::string> paths;
    std::uint64_t bytes = 0;
  };
  // Rows between two moments, and the files that have some.
  struct Slice {
    std::int64_t after = 0;
    std::int64_t until = 0;
    std::vector<std::string> paths;
  };

  void look();
  bool look_again();
  void plan_ids();
  void keep_last();
  bool next_day();
  void slice_up(const ArchivedDay& day);
  bool open_next();
  std::string where(std::int64_t after, std::int64_t until) const;

  const std::string name_;
  ArchiveRange range_;
  std::unique_ptr<warehouse::ObjectStore> store_;
  warehouse::Archive archive_;
  warehouse::Engine engine_;
  std::set<std::string> known_;           // keys, while the archive is followed
  std::map<warehouse::Day, ArchivedDay> days_;  // that were not begun
  std::vector<Slice> slices_;             // of the day that was, the next one last
  std::vector<std::string> statements_;   // that look for ids, the next one last
  std::unique_ptr<warehouse::RecordRows> rows_;
  SeenIds seen_;
  std::uint64_t passed_ = 0;
  std::uint64_t planned_ = 0;         // rows of the days that were begun
  std::uint64_t planned_bytes_ = 0;
  std::uint64_t others_ = 0;      // records that are no exchange, untold
  std::uint64_t duplicates_ = 0;  // untold
  std::chrono::steady_clock::time_point looked_{};
  StatementEnd end_;
};

}  // namespace segue::cli
