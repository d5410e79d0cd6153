#include "warehouse/storage/folder_store.hpp"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
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
