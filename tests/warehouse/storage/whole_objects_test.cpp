#include "warehouse/storage/whole_objects.hpp"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <functional>

#include "tests/support/temp_dir.hpp"
#include "warehouse/storage/folder_store.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

// Something happens to an object before the second piece of it is read.
class ChangingStore : public FolderStore {
 public:
  using FolderStore::FolderStore;
  std::string read_version(std::string_view key, const ObjectVersion& version,
                           std::uint64_t offset, std::uint64_t bytes) override {
    if (offset != 0) change();
    return FolderStore::read_version(key, version, offset, bytes);
  }
  std::function<void()> change;
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

TEST_CASE("of an object that is not there, or goes or is replaced while it is fetched, no file stays") {
  const TempDir folder;
  ChangingStore store(folder.path() / "archive");
  CHECK_THROWS_AS(sha256_of_object(store, "raw/x"), StorageError);
  CHECK_THROWS_AS(fetch(store, "raw/x", folder / "copy"), StorageError);
  CHECK_FALSE(std::filesystem::exists(folder / "copy"));
  const auto write = [&](char octet) { store.replace("raw/x", std::string(20 << 20, octet)); };
  const std::function<void()> changes[] = {[&] { store.remove("raw/x"); }, [&] { write('b'); }};
  for (const auto& change : changes) {
    write('a');
    store.change = change;
    CHECK_THROWS_AS(fetch(store, "raw/x", folder / "copy"), StorageError);
    CHECK_FALSE(std::filesystem::exists(folder / "copy"));
  }
  CHECK_THROWS_AS(fetch(store, "raw/x", folder / "no such folder/copy"), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
