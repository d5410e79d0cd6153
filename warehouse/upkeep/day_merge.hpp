#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/upkeep/tenure.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

// The files of one day as few large ones: reads and writes, publishes nothing, and confirms the
// term between its statements. One thread; what is given outlives it.
class DayMerge {
 public:
  // `inputs`: of that day. `later`: files in which FINISH records of that day's exchanges may be.
  // Throws StorageError where an input is not as its `.done` says.
  DayMerge(Workbench& bench, Tenure& tenure, Day day, std::vector<ClaimState> inputs,
           const std::vector<ClaimState>& later, std::uint64_t target_bytes);

  // Inputs that become one file.
  struct Group {
    std::string key;  // of that file
    std::vector<std::string> inputs;
    std::uint64_t rows = 0;
  };
  const std::vector<Group>& groups() const noexcept { return groups_; }
  // Rows of this day that are there already; looked up in `earlier` compacted files of the days
  // from `since` on, which since() says. Before make().
  Day since() const noexcept { return since_; }
  const std::vector<Removal>& find_removals(const std::vector<std::string>& earlier);

  // Writes the file of a group, counts it against its inputs, and says what is in it. Throws
  // StorageError when they differ.
  FileFacts make(const Group& group, const std::filesystem::path& file);

  std::vector<CompactionInput> inputs() const;

 private:
  void check_inputs();
  void make_groups(std::uint64_t target_bytes);
  void gather_finishes(const std::vector<ClaimState>& later);
  void gather_suspects();
  std::string rows_that_stay(const Group& group) const;
  void check(const Group& group, const std::filesystem::path& file);

  Workbench& bench_;
  Tenure& tenure_;
  const Day day_;
  std::vector<ClaimState> inputs_;  // in the order of their rows' times
  std::vector<Group> groups_;
  std::vector<Removal> removals_;
  Day since_;
  enum class Some : std::uint8_t { no, yes };
  Some finishes_ = Some::no;
  Some suspects_ = Some::no;
};

}  // namespace segue::warehouse
