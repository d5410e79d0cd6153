#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "cli/source.hpp"
#include "compare/comparing.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/sql/comparison_file.hpp"

namespace segue::cli {

// Writes what was compared into comparisons/ of an archive, a file a day of primaries and batch,
// <compared at, 20 digits>~<hash of its rows>.parquet: who compares the same pairs again with the
// same result writes nothing new, unless others were stored of that day since. Pairs whose result
// is another one are there again, and the later result counts. Once interrupted() a store that does
// not answer is not waited for. One thread.
class ComparisonStore {
 public:
  static constexpr std::uint64_t kMostRows = 131'072;       // of a file
  static constexpr std::chrono::milliseconds kEvery{10'000};  // when comparison goes on and on

  // Throws StorageError, RemoteError: there is no archive.
  explicit ComparisonStore(const ArchiveSource& archive);

  // Throws StorageError, RemoteError, SqlError.
  void add(const compare::Comparing::Compared& compared);
  // Writes what was gathered; of a comparison that goes on what is kEvery old.
  void write();
  void write_when_due();

  // For a person, of all that was written.
  std::string told() const;

 private:
  void write(warehouse::Day day, warehouse::ComparisonFile& file);
  // Whether these rows are there, and none of another file is later.
  bool is_latest(const std::string& folder, const std::string& rows);

  const std::string name_;
  std::unique_ptr<warehouse::ObjectStore> store_;
  std::int64_t compared_at_;  // of what is gathered, Unix microseconds
  std::chrono::steady_clock::time_point written_;
  std::map<warehouse::Day, std::unique_ptr<warehouse::ComparisonFile>> files_;
  std::uint64_t pairs_ = 0;
  std::uint64_t new_files_ = 0;
  std::uint64_t known_files_ = 0;
};

}  // namespace segue::cli
