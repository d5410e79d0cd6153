#pragma once

#include <filesystem>
#include <string>

#include "warehouse/archive/claim.hpp"
#include "warehouse/archive/record_source.hpp"

namespace segue::warehouse {

// Makes the files of an archive. One thread. sql/archive_file.hpp has the one that there is; it is
// an interface because the archive's books know no SQL.
class FileEncoder {
 public:
  virtual ~FileEncoder() = default;

  // What a claim says about who encoded it: "segue 0.1.0, duckdb 1.4.4".
  virtual const std::string& version() const = 0;
  // Writes all that `records` gives into a new file, which is synced when this returns; what was at
  // `path` before goes. Throws StorageError where the file cannot be written (what is there of it
  // may stay), and passes on what `records` throws.
  virtual FileFacts encode(const Chain& chain, RecordReader& records,
                           const std::filesystem::path& path) = 0;
  // What stands in a file that another encoded. Throws StorageError: it is none.
  virtual FileFacts facts_of(const std::filesystem::path& path) = 0;
};

}  // namespace segue::warehouse
