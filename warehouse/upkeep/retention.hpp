#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/term.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

struct RetentionReport {
  std::optional<Day> before;  // what lies before it goes; nullopt: nothing does
  std::uint64_t days = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t claims = 0;
  std::string blocked;  // why not all that is old goes, and what to do; empty: all does
  std::vector<std::string> warnings;  // of Term
};

// Takes whole days away that are older than a day: files, claims, books. Only days before the
// watermark: of those it is known that nothing comes to lie there any more.
//
// First `_retention.json` says which days go, then chains begin behind them, then files go, then
// claims, then the days' records: whoever is killed leaves no chain with a gap, and the next run
// takes the rest. Who reads such a day meanwhile finds files gone. One thread.
class Retention {
 public:
  // Days before `keep_from` go.
  Retention(Archive& archive, Day keep_from, UpkeepWatch watch = {});

  // What run() would do.
  RetentionReport plan() const;
  // Throws StorageError, RemoteError, UpkeepEnded.
  RetentionReport run();

 private:
  struct Leaving;
  std::optional<Day> limit(RetentionReport& report) const;
  // A null term: nothing is to be changed.
  Leaving leaving(Day before, Term* term) const;
  static void count(const Leaving& going, Day before, RetentionReport& report);

  Archive& archive_;
  Day keep_from_;
  UpkeepWatch watch_;
};

}  // namespace segue::warehouse
