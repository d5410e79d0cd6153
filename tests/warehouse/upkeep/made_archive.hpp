#pragma once

// An archive in a folder, made claim by claim as its archiver would, on days that a test chooses.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "recorder/exchange.pb.h"
#include "tests/support/temp_dir.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/folder_store.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::warehouse {

// One record to be.
struct MadeRow {
  std::uint64_t id = 0;  // 0: the record is no exchange
  std::uint32_t status = 200;
  v1::Outcome outcome = v1::OUTCOME_COMPLETED;
  std::string account{};
  std::uint64_t parent = 0;  // 0: none
  v1::Kind kind = v1::KIND_PRIMARY;
  bool redelivered = false;
};

std::string id_text(std::uint64_t id);  // as the column has it

class MadeArchive {
 public:
  enum class End : std::uint8_t { done, open, published };  // published: but no `.done`

  MadeArchive();

  FolderStore& store() { return store_; }
  Archive& archive() { return archive_; }
  std::filesystem::path folder() const { return folder_.path(); }
  std::filesystem::path path_of(const std::string& key) const { return store_.path_of(key); }

  // The next claim of a chain, under `day`, or where `placed` says; rows get the offsets that follow.
  Claim add(const Chain& chain, Day day, const std::vector<MadeRow>& rows, End end = End::done);
  Claim add_placed(const Chain& chain, Day day, Day placed, const std::vector<MadeRow>& rows);
  // The next `records` of a chain were lost.
  void add_lost(const Chain& chain, Day day, std::uint64_t records);
  std::string file_of(const Claim& claim);

  // All values of all rows of a statement in which {} stands for the files as queries read them
  // now. One that fails because a file is replaced meanwhile is asked again.
  std::string ask(const std::string& sql);
  // Every object and what is in it.
  std::string everything();

 private:
  Claim claim_rows(const Chain& chain, Day day, const std::vector<MadeRow>& rows,
                   const std::filesystem::path& file);
  std::string ask_once(const std::string& sql);

  test::TempDir folder_;
  test::TempDir staging_;
  FolderStore store_;
  Archive archive_;
  ArchiveFileEncoder encoder_;
  Engine engine_;
};

// A folder for an engine that upkeep works with.
class MadeBench {
 public:
  explicit MadeBench(ObjectStore& store) : bench_(store, {.staging = staging_.path()}) {}
  Workbench& operator*() { return bench_; }

 private:
  test::TempDir staging_;
  Workbench bench_;
};

}  // namespace segue::warehouse
