#include "warehouse/storage/folder_store.hpp"

#include <sys/stat.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "tests/support/temp_dir.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::warehouse {
namespace {

std::vector<std::string> listed(ObjectStore& store, std::string_view prefix,
                                std::string_view after = {}) {
  std::vector<std::string> keys;
  store.list(prefix, after, [&](const StoredObject& object) { keys.push_back(object.key); });
  return keys;
}

TEST_CASE("an object is created once, read whole and in part, replaced and removed") {
  const test::TempDir folder;
  FolderStore store(folder / "a/b");
  CHECK(store.read("x/one") == std::nullopt);
  CHECK(store.create("x/one", "first") == Creation::created);
  CHECK(store.create("x/one", "second") == Creation::existed);
  CHECK(store.read("x/one") == "first");
  CHECK(store.read("x/one", 1, 3) == "irs");
  CHECK_THROWS_AS(store.read("x/one", 3, 3), StorageError);
  store.replace("x/one", "third");
  CHECK(store.read("x/one") == "third");
  CHECK(store.create_from("x/two", folder.write("file", "of a file")) == Creation::created);
  CHECK(store.size("x/two") == 9);
  store.remove("x/one");
  store.remove("x/one");
  CHECK(listed(store, "") == std::vector<std::string>{"x/two"});
}

TEST_CASE("of eight who create the same object one does") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> created{0};
    {
      std::vector<std::jthread> writers;
      for (int i = 0; i < 8; ++i)
        writers.emplace_back([&, i] {
          const auto key = "claims/" + std::to_string(round);
          if (store.create(key, std::to_string(i)) == Creation::created) ++created;
        });
    }
    CHECK(created == 1);
  }
  CHECK(listed(store, "").size() == 20);  // and no temporary file
}

TEST_CASE("listings are in the order of keys' octets, from behind a key, below a prefix") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  for (const char* key : {"a/1", "a-b", "a/2/x", "a.b", "b", "a/10"}) store.create(key, "");
  CHECK(listed(store, "") == std::vector<std::string>{"a-b", "a.b", "a/1", "a/10", "a/2/x", "b"});
  CHECK(listed(store, "a/") == std::vector<std::string>{"a/1", "a/10", "a/2/x"});
  CHECK(listed(store, "a/1") == std::vector<std::string>{"a/1", "a/10"});
  CHECK(listed(store, "", "a/1") == std::vector<std::string>{"a/10", "a/2/x", "b"});
  CHECK(listed(store, "a/", "a/2") == std::vector<std::string>{"a/2/x"});
  CHECK(store.folders("a/") == std::vector<std::string>{"2"});
  CHECK(listed(store, "none/").empty());
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

TEST_CASE("an object is read as it was or as it is while it is replaced by longer and shorter ones") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  const std::string brief(10, 'b');
  const std::string lengthy(100'000, 'l');
  store.replace("book", brief);
  std::atomic<bool> ended{false};
  std::jthread writer([&] {
    for (int i = 0; i < 500; ++i) store.replace("book", i % 2 == 0 ? lengthy : brief);
    ended = true;
  });
  while (!ended) {
    const auto content = store.read("book");
    const bool whole = content == brief || content == lengthy;
    if (!whole) {
      FAIL_CHECK("half of one, or none");
      break;
    }
  }
}

TEST_CASE("nobody but its user reads an archive that was made") {
  const test::TempDir folder;
  FolderStore store(folder / "archive");
  store.create("raw/one", "content");
  store.replace_from("raw/two", folder.write("file", "content"));
  CHECK(mode_of(folder / "archive") == 0700);
  CHECK(mode_of(folder / "archive/raw") == 0700);
  CHECK(mode_of(folder / "archive/raw/one") == 0600);
  CHECK(mode_of(folder / "archive/raw/two") == 0600);
}

TEST_CASE("an archive in a folder that its group may use is the group's, and never everybody's") {
  const test::TempDir folder;
  const auto root = folder / "archive";
  std::filesystem::create_directory(root);
  REQUIRE(::chmod(root.c_str(), 0775) == 0);
  FolderStore store(root);
  store.create("raw/one", "content");
  CHECK(mode_of(root) == 0775);
  CHECK(mode_of(root / "raw") == 0770);
  CHECK(mode_of(root / "raw/one") == 0660);
  REQUIRE(::chmod(root.c_str(), 0750) == 0);
  store.create("raw/two", "content");
  CHECK(mode_of(root / "raw/two") == 0640);
}

TEST_CASE("a name is as long as a file's may be") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  const std::string longest(255, 'n');
  CHECK(store.create(longest, "content") == Creation::created);
  CHECK(store.read(longest) == "content");
  CHECK_THROWS_AS(store.create(longest + "n", "content"), StorageError);
}

TEST_CASE("what dead writers left is counted and removed, what may be written now stays") {
  const test::TempDir folder;
  FolderStore store(folder / "archive");
  CHECK(store.count_leftovers() == 0);
  store.create("raw/one", "content");
  const auto old = folder.write("archive/raw/.tmp-0123456789abcdef.part", "half");
  const auto young = folder.write("archive/.tmp-fedcba9876543210.part", "half");
  const auto letter = folder.write("archive/raw/.tmp-letter", "another's");
  const auto long_ago = std::filesystem::file_time_type::clock::now() - 2 * kLeftAfter;
  for (const auto& file : {old, letter, folder / "archive/raw/one"})
    std::filesystem::last_write_time(file, long_ago);
  CHECK(store.count_leftovers() == 1);
  CHECK(store.remove_leftovers() == 1);
  CHECK_FALSE(std::filesystem::exists(old));
  CHECK(std::filesystem::exists(young));
  CHECK(std::filesystem::exists(letter));
  CHECK(store.read("raw/one") == "content");
}

TEST_CASE("what is no file is no object, and what cannot be looked at is said") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  store.create("a/b", "content");
  CHECK_THROWS_AS(store.size(std::string(300, 'n')), StorageError);
  errno = EIO;  // of something else, long ago
  CHECK(store.size("a") == std::nullopt);
  CHECK(store.read("a") == std::nullopt);
  CHECK(store.read("a/b/c") == std::nullopt);
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK_THROWS_AS(listed(store, ""), StorageError);
  CHECK_THROWS_AS(store.create("loop/x", "content"), StorageError);
}

TEST_CASE("where an archive lies is read and written") {
  const auto folder = parse_location("archive:/data/archive");
  REQUIRE(folder);
  CHECK(folder->folder == "/data/archive");
  CHECK(folder->name() == "archive:/data/archive");
  const auto bucket = parse_location("archive:s3://shop/exchanges/eu/");
  REQUIRE(bucket);
  CHECK(bucket->bucket == "shop");
  CHECK(bucket->prefix == "exchanges/eu");
  CHECK(bucket->name() == "archive:s3://shop/exchanges/eu");
  CHECK(parse_location("archive:s3://shop")->name() == "archive:s3://shop");
  for (const char* wrong : {"archive:", "archive:s3://", "archive:s3:///x", "journal:x", "s3://b"})
    CHECK_FALSE(parse_location(wrong));
}

}  // namespace
}  // namespace segue::warehouse
