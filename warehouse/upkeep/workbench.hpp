#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/archive/staging.hpp"
#include "warehouse/sql/engine.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// What upkeep may use.
struct WorkbenchSettings {
  std::filesystem::path staging;                // files are made here before they are published
  std::uint64_t memory_bytes = 1'024ULL << 20;  // of the SQL engine; what does not fit goes there
};

// Somebody wants the work to end (Ctrl-C). What was done stays, and the next run goes on from it.
class UpkeepEnded : public std::runtime_error {
 public:
  UpkeepEnded() : std::runtime_error("it was told to end") {}
};

// How far long work has come, and whether it is to go on. Asked on the thread that works.
struct UpkeepWatch {
  std::function<void(std::uint64_t done, std::uint64_t total)> at{};
  std::function<bool()> told_to_end{};

  void report(std::uint64_t done, std::uint64_t total) const {
    if (at) at(done, total);
  }
  // Throws UpkeepEnded.
  void go_on() const {
    if (told_to_end && told_to_end()) throw UpkeepEnded();
  }
};

// The SQL engine as upkeep uses it: it reads the files of one archive, in bounded memory. One
// thread; the store outlives it. Methods that ask throw StorageError where a file cannot be read.
class Workbench {
 public:
  // Throws StartupError, StorageError.
  Workbench(ObjectStore& store, const WorkbenchSettings& settings);

  ObjectStore& store() noexcept { return store_; }
  Engine& engine() noexcept { return engine_; }
  // A new path for a file of ours.
  std::filesystem::path new_file();

  // "read_parquet([...])" of at least one file of an archive: all columns that their kind has now, in
  // their order, by their field ids, so that older files lack none (NULL); and `filename`. Files of
  // comparisons/ and others not together.
  std::string rows_of(std::span<const std::string> keys) const;
  // Of a file of this machine, as it is.
  static std::string rows_of(const std::filesystem::path& file);
  // Throws StorageError where one of raw/ or compact/ has columns that are not known here: a newer
  // version wrote it, and who writes its rows anew would lose them.
  void refuse_newer(std::span<const std::string> keys);

  void run(const std::string& sql);
  void ask(const std::string& sql, const std::function<void(const Engine::Row&)>& take);
  // The first row of a statement whose columns are whole numbers; NULL is 0.
  std::vector<std::uint64_t> numbers(const std::string& sql);
  // Rows by what a file's metadata says. Throws StorageError: it is no Parquet file.
  std::uint64_t rows_in(const std::string& key);

  // Ends what runs; from any thread.
  void interrupt() noexcept { engine_.interrupt(); }

 private:
  ObjectStore& store_;
  Staging staging_;
  Engine engine_;
  unsigned files_ = 0;
};

}  // namespace segue::warehouse
