#include "warehouse/storage/whole_objects.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "tests/support/temp_dir.hpp"
#include "warehouse/storage/folder_store.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

// The second piece is read by somebody who finds the object gone.
class GoingStore : public FolderStore {
 public:
  using FolderStore::FolderStore;
  using FolderStore::read;
  std::string read(std::string_view key, std::uint64_t offset, std::uint64_t bytes) override {
    if (offset != 0) remove(key);
    return FolderStore::read(key, offset, bytes);
  }
};

TEST_CASE("an object of several pieces, of one, and of none is fetched and hashed whole") {
  const TempDir folder;
  FolderStore store(folder.path() / "archive");
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{5}, std::size_t{20} << 20}) {
    std::string content(bytes, 'a');
    if (bytes > 0) content.back() = 'z';
    store.replace("raw/x", content);
    fetch(store, "raw/x", folder / "copy");
    CHECK(std::filesystem::file_size(folder / "copy") == bytes);
    CHECK(sha256_of(folder / "copy", 0, bytes) == sha256_of(content));
    CHECK(sha256_of_object(store, "raw/x") == sha256_of(content));
  }
}

TEST_CASE("of an object that is not there, or goes while it is fetched, no file stays") {
  const TempDir folder;
  GoingStore store(folder.path() / "archive");
  CHECK_THROWS_AS(sha256_of_object(store, "raw/x"), StorageError);
  CHECK_THROWS_AS(fetch(store, "raw/x", folder / "copy"), StorageError);
  CHECK_FALSE(std::filesystem::exists(folder / "copy"));
  store.replace("raw/x", std::string(20 << 20, 'a'));
  CHECK_THROWS_AS(fetch(store, "raw/x", folder / "copy"), StorageError);
  CHECK_FALSE(std::filesystem::exists(folder / "copy"));
  CHECK_THROWS_AS(fetch(store, "raw/x", folder / "no such folder/copy"), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
