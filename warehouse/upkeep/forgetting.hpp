#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/tenure.hpp"
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
};

// Takes all rows of an account out of an archive: those that name it, and those that belong to one
// of its exchanges by id (FINISH records, copies). Files that hold some are written anew without
// them, under their names, and the books say how many went. Killed, it leaves whole files, old or
// new ones; the next run of any upkeep brings the books in line, and running it again ends it.
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
  // A null tenure: nothing is to be changed.
  std::vector<Holding> find(const std::vector<std::string>& files, Tenure* tenure);
  void rewrite(const Holding& holding, Tenure& tenure);

  Archive& archive_;
  Workbench& bench_;
  std::vector<std::string> accounts_;
  UpkeepWatch watch_;
};

}  // namespace segue::warehouse
