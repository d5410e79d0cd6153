#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/term.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

struct ForgottenDay {
  std::uint64_t files = 0;  // that hold some of it
  std::uint64_t rows = 0;   // that go
};

struct ForgettingReport {
  std::map<Day, ForgottenDay> days;
  // Files that their archiver has not finished: they are left alone, and may hold some, too.
  std::vector<std::string> unfinished;
  // Files that are left alone as they are not what an earlier `forget` was writing: a line each.
  std::vector<std::string> warnings;
};

// Takes all rows of an account out of an archive: those that name it, and those that belong to one
// of its exchanges by id (FINISH records, copies). Files that hold some are written anew without
// them, under their names, and the books say how many went. Killed, it leaves whole files, old or
// new ones; the next run of any upkeep brings the books in line, and the next forgetting, of whatever
// account, takes out what belongs to the exchanges of this one.
//
// Reads at any moment see a file as it was or as it is to be. One thread; what is given outlives it.
class Forgetting {
 public:
  // `accounts`: as they stand in account_id.
  Forgetting(Archive& archive, Workbench& bench, std::vector<std::string> accounts,
             UpkeepWatch watch = {});

  // What run() would do.
  ForgettingReport plan();
  // Throws StorageError, RemoteError, UpkeepEnded.
  ForgettingReport run();

 private:
  struct Holding {
    std::string key;
    std::uint64_t rows = 0;   // of the file
    std::uint64_t going = 0;  // of them
  };
  std::vector<std::string> all_files(ForgettingReport& report) const;
  // A null term: nothing is to be changed.
  std::vector<Holding> find(std::vector<std::string> files, Term* term, ForgettingReport& report);
  void begin_tables();
  std::vector<std::string> found_ids();
  void rewrite(const Holding& holding, Term& term);

  Archive& archive_;
  Workbench& bench_;
  std::vector<std::string> accounts_;
  UpkeepWatch watch_;
};

}  // namespace segue::warehouse
