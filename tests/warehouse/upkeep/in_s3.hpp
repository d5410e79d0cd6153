#pragma once

// An archive in S3, on a real server.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/versitygw.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"

namespace segue::warehouse {

class InS3 {
 public:
  static constexpr std::int64_t kNow = 1'800'000'000'000'000;

  // A copy of what `fill` makes in a folder.
  explicit InS3(const std::function<void(MadeArchive&)>& fill);

  ObjectStore& store() { return *store_; }
  Archive& archive() { return archive_; }
  std::vector<std::string> opening() const;  // as Killed takes it

  // How many verify has, each row looked at.
  std::size_t findings();
  // Of the files as queries read them now: rows, distinct ids, rows of Ann's. A statement over a
  // file that is replaced meanwhile is asked again.
  std::vector<std::uint64_t> counts();

 private:
  std::unique_ptr<ObjectStore> open() const;
  Archive copied(const std::function<void(MadeArchive&)>& fill);

  test::Versitygw server_;
  std::unique_ptr<ObjectStore> store_;
  Archive archive_;
  MadeBench bench_;
};

}  // namespace segue::warehouse
