#pragma once

// A source of records that are made of their chain and offset, and what an archive holds of them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::test {

// The record at an offset of a chain: an exchange of which every seventh failed, every eleventh is
// a FINISH, and every thirteenth no exchange at all. Always the same; with `noise`, bodies that do
// not compress.
std::string record_at(const warehouse::Chain& chain, std::uint64_t offset,
                      std::size_t body_bytes = 100, std::uint64_t noise = 0);

// Chains that have the records `first` to before `end`. What a test wants to go wrong is done by
// `before_read`, which may throw or change the chains.
class GivenRecords : public warehouse::RecordSource {
 public:
  struct Extent {
    std::uint64_t first = 0;  // that the source has
    std::uint64_t end = 0;
    std::uint64_t archived = 0;  // as it was told last
  };

  const std::string& name() const override { return name_; }
  std::vector<warehouse::Chain> chains() override;
  std::uint64_t first(const warehouse::Chain& chain) override;
  std::optional<warehouse::Waiting> waiting(const warehouse::Chain& chain,
                                            std::uint64_t next) override;
  std::unique_ptr<warehouse::RecordReader> read(const warehouse::Chain& chain, std::uint64_t from,
                                                std::uint64_t to) override;
  void archived(const warehouse::Chain& chain, std::uint64_t next) override;
  void wait(std::chrono::milliseconds most) override;

  std::map<warehouse::Chain, Extent> extents;
  std::size_t body_bytes = 100;
  bool incompressible = false;
  std::uint64_t at_a_time = UINT64_MAX / 2;  // that wait at most
  std::function<void(std::uint64_t offset)> before_read;  // of each record
  std::function<void()> while_waiting;

 private:
  std::string name_ = "given:records";
};

// What is in the files of an archive in a folder, all of raw/.
struct ArchivedRows {
  std::uint64_t rows = 0;
  std::uint64_t distinct = 0;  // by source, partition and offset
  std::uint64_t lowest = 0;
  std::uint64_t highest = 0;
};
ArchivedRows archived_rows(const std::filesystem::path& folder);

// Claims of all chains follow each other without a gap from `first` to before `end`, each is done,
// each file is there with the hash and the rows that `.done` says. What is amiss, a line each.
std::vector<std::string> what_is_amiss(const warehouse::Archive& archive, std::uint64_t first,
                                       std::uint64_t end);

}  // namespace segue::test
