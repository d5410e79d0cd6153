#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "warehouse/archive/file_encoder.hpp"
#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// The files of an archive: Parquet, row groups of at most 16,384 rows and 48 MB, zstd level 1, field
// ids. Their columns are exchange_columns() and behind them archive_columns().

// Encodes by an engine of its own, one row after the other, on one core: memory stays within about
// 300 MiB however long rows and ranges are. One thread.
class ArchiveFileEncoder : public FileEncoder {
 public:
  // Throws StartupError.
  ArchiveFileEncoder();
  ~ArchiveFileEncoder() override;

  const std::string& version() const override { return version_; }
  FileFacts encode(const Chain& chain, RecordReader& records,
                   const std::filesystem::path& path) override;
  FileFacts facts_of(const std::filesystem::path& path) override;

 private:
  struct Job;

  std::string version_;
  std::unique_ptr<Job> job_;  // what the engine's table function reads now
  Engine engine_;
};

// Makes the engine one whose COPY keeps the order of rows and the limit of memory: one thread.
void prepare_for_copy(Engine& engine);

// Writes the rows of `select` (all columns of a file, by their names, in any order) to a new file
// as all files of an archive are written, and syncs it. The engine was prepared. Throws SqlError,
// StorageError.
void copy_to_parquet(Engine& engine, const std::string& select, const std::filesystem::path& path);

// What stands in a file of this machine. Throws StorageError: it is no file of an archive.
FileFacts facts_of(Engine& engine, const std::filesystem::path& path);

// Size and hash alone.
void add_size_and_hash(FileFacts& facts, const std::filesystem::path& path);

}  // namespace segue::warehouse
