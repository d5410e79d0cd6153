#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/engine.hpp"
#include "warehouse/sql/finished_outcome.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::warehouse {

// The columns of what is recorded, in the order of a file: exchange_columns(), archive_columns().
std::vector<FileColumn> archived_columns();

// Makes or replaces the view `archived`, or another name, of what is recorded in files of raw/ and
// compact/: every row, FINISH records and what is no exchange included, with `filename` and `dt`.
// Paths as statements read them (object_files.hpp). Throws SqlError.
void add_archived(Engine& engine, const std::vector<std::string>& paths,
                  std::string_view view = "archived");

// Whether there is an archive, be it empty or not made yet.
enum class Archived : std::uint8_t { no, yes };
// Whether add_exchanges() (exchange_table.hpp) was called, for what is in no file yet.
enum class Tail : std::uint8_t { none, recorded };

// What statements see:
//   archived     every row of an archive's files
//   exchanges    one row for each exchange of the archive and of the tail behind it, with the
//                outcome that a FINISH says
//   pairs        one row for each shadow and control whose primary is there, both answers in it
//   comparisons  what `compare --store` found, of each pair as it was compared last
// One thread; the engine outlives it, and it outlives what the engine is asked.
class Views {
 public:
  // `finishes_of_tail` is asked when a statement needs an outcome.
  Views(Engine& engine, Tail tail, std::function<FinishedOutcomes()> finishes_of_tail);

  struct Files {
    Archived archive = Archived::no;
    std::vector<std::string> exchanges{};    // paths
    std::vector<std::string> comparisons{};
  };
  // From now on statements see these files, and no exchange before `since` (Unix microseconds; 0:
  // all). Throws SqlError.
  void show(const Files& files, std::int64_t since = 0);

 private:
  Engine& engine_;
  const Tail tail_;
  const std::function<FinishedOutcomes()> finishes_of_tail_;
  std::shared_ptr<FoundOutcomes> found_;  // for the files that are shown
  unsigned shown_ = 0;  // times: outcomes that were found for other files are not for these
};

}  // namespace segue::warehouse
