#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

Claim claim_of(const Chain& chain, std::uint64_t start, std::uint64_t end, Day day) {
  Claim claim;
  claim.chain = chain;
  claim.start = start;
  claim.end = end;
  claim.day = day;
  claim.file = {.rows = end - start + 1, .bytes = 9, .sha256 = std::string(64, 'a')};
  claim.encoder = "segue 1, duckdb 2";
  claim.writer = "host 1";
  claim.claimed_at = 1;
  return claim;
}

Done done_of(const Claim& claim) { return {claim.file_key(), claim.file, 2, 0}; }

const Day kDay = *parse_day("2026-11-20");

TEST_CASE("claims follow each other, and what was left open is known") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  Archive archive = Archive::open_or_create(store);
  const Chain chain{"segue.exchanges", "3"};
  CHECK(archive.chains().empty());
  CHECK(archive.start_chain(chain, 17) == Creation::created);
  CHECK(archive.start_chain(chain, 18) == Creation::existed);
  CHECK(archive.genesis(chain) == 17);
  CHECK(archive.tip(chain).next == 17);

  const Claim first = claim_of(chain, 17, 20, kDay);
  const Claim second = claim_of(chain, 21, 40, kDay);
  CHECK(archive.claim(first) == Creation::created);
  CHECK(archive.claim(first) == Creation::existed);
  CHECK(archive.claim(second) == Creation::created);
  CHECK(archive.say_done(first, done_of(first)) == Creation::created);

  const auto tip = archive.tip(chain);
  CHECK(tip.next == 41);
  CHECK(tip.last_day == kDay);
  REQUIRE(tip.open.size() == 1);
  CHECK(tip.open[0].start == 21);
  archive.say_done(second, done_of(second));
  archive.set_checkpoint(second);
  CHECK(archive.tip(chain).next == 41);
  CHECK(archive.tip(chain).open.empty());
  CHECK(archive.claims(chain).size() == 2);
  CHECK(archive.claims(chain, 18).size() == 1);
  CHECK(archive.claims(chain)[0].done->path == first.file_key());
  CHECK(archive.chains() == std::vector<Chain>{chain});
  for (const char* foreign : {"100%zz", "lost+found", "a%4"}) {
    store.create(chains_folder() + foreign + "/0/notes.txt", "x");
    store.create(chains_folder() + chain.topic + "/" + foreign + "/notes.txt", "x");
  }
  CHECK(archive.chains() == std::vector<Chain>{chain});
}

// Counts what is read, and lets the first reader wait for a second one.
class WatchedStore : public FolderStore {
 public:
  using FolderStore::FolderStore;
  using FolderStore::read;

  std::optional<std::string> read(std::string_view key) override {
    std::unique_lock lock(mutex_);
    ++reads;
    most_inside = std::max(most_inside, ++inside_);
    met_.notify_all();
    met_.wait_for(lock, test::kPatience, [&] { return !gathering || most_inside > 1; });
    --inside_;
    lock.unlock();
    return FolderStore::read(key);
  }

  int reads = 0;
  int most_inside = 0;
  bool gathering = false;

 private:
  std::mutex mutex_;
  std::condition_variable met_;
  int inside_ = 0;
};

TEST_CASE("claims are read several at a time, given in their order, and not all for the first few") {
  const test::TempDir folder;
  WatchedStore store(folder.path());
  Archive archive = Archive::open_or_create(store);
  const Chain chain{"shop", "0"};
  for (std::uint64_t start = 0; start < 600; start += 2) {
    const Claim claim = claim_of(chain, start, start + 1, kDay);
    archive.claim(claim);
    if (start % 3 == 0) archive.say_done(claim, done_of(claim));
  }
  store.gathering = true;
  const auto states = archive.claims(chain);
  CHECK(store.most_inside > 1);
  CHECK(store.most_inside <= 16);
  REQUIRE(states.size() == 300);
  for (std::uint64_t i = 0; i < 300; ++i) {
    CHECK(states[i].claim.start == i * 2);
    CHECK(states[i].done.has_value() == (i * 2 % 3 == 0));
  }
  store.reads = 0;
  std::uint64_t given = 0;
  archive.each_claim(chain, 100, [&](const ClaimState& state) {
    CHECK(state.claim.start == 100 + given * 2);
    return ++given < 10;
  });
  CHECK(given == 10);
  CHECK(store.reads <= 32);
  // What is damaged is named, whatever else is read at the same time.
  store.replace(claim_key(chain, 8), "{");
  CHECK_THROWS_AS(archive.claims(chain), StorageError);
}

// Another archiver makes the archive between a look at it and a look around.
class LateStore : public FolderStore {
 public:
  using FolderStore::FolderStore;
  void list(std::string_view prefix, std::string_view after,
            const std::function<void(const StoredObject&)>& take) override {
    if (before_list) std::exchange(before_list, nullptr)();
    FolderStore::list(prefix, after, take);
  }
  std::function<void()> before_list;
};

TEST_CASE("an archive that another one makes at the same moment is opened, whatever lies in it") {
  const test::TempDir folder;
  FolderStore others(folder.path());
  LateStore store(folder.path());
  std::string id;
  store.before_list = [&] {
    Archive archive = Archive::open_or_create(others);
    archive.claim(claim_of({"shop", "0"}, 0, 16, kDay));
    id = archive.id();
  };
  CHECK(Archive::open_or_create(store).id() == id);
  CHECK_FALSE(id.empty());
}

TEST_CASE("names of chains may hold anything") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  Archive archive = Archive::open_or_create(store);
  for (const char* name : {"..", "a/b", "a b~c%", "host:8080", "x@2"}) {
    const Chain chain{name, "20261120T101112-4-0"};
    archive.start_chain(chain, 1);
    archive.claim(claim_of(chain, 1, 2, kDay));
    CHECK(archive.tip(chain).next == 3);
  }
  CHECK(archive.chains().size() == 5);
}

TEST_CASE("days before the watermark are read from compact/, all others from raw/") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  Archive archive = Archive::open_or_create(store);
  const Chain chain{"t", "0"};
  for (int i = 0; i < 3; ++i) {
    const Day day = kDay + std::chrono::days(i);
    store.create(raw_key(day, chain, 1, 2), "raw");
    store.create(compact_key(day, 1, "abc"), "compact");
  }
  const auto names = [](const std::vector<StoredObject>& files) {
    std::vector<std::string> keys;
    for (const StoredObject& file : files) keys.push_back(file.key.substr(0, file.key.find('/', 5)));
    return keys;
  };
  using Keys = std::vector<std::string>;
  CHECK(names(archive.files()) ==
        Keys{"raw/dt=2026-11-20", "raw/dt=2026-11-21", "raw/dt=2026-11-22"});
  archive.move_watermark(*parse_day("2026-11-22"));
  CHECK(store.read(watermark_table_key()) == store.read(watermark_key()));
  CHECK(archive.watermark() == *parse_day("2026-11-22"));
  CHECK(archive.files().size() == 3);
  CHECK(archive.files()[1].key == "compact/dt=2026-11-21/00001~abc.parquet");
  CHECK(archive.files()[2].key.starts_with("raw/dt=2026-11-22/"));
  CHECK(archive.files(*parse_day("2026-11-21")).size() == 2);
  CHECK(archive.files(*parse_day("2026-11-22")).size() == 1);
  CHECK(archive.files(*parse_day("2026-11-23")).empty());
}

TEST_CASE("what is no archive, or another version's, is refused with a line that says so") {
  const test::TempDir folder;
  FolderStore store(folder.path());
  CHECK_THROWS_AS(Archive::open(store), StorageError);
  store.create("holiday.jpg", "x");
  CHECK_THROWS_AS(Archive::open_or_create(store), StorageError);
  store.remove("holiday.jpg");
  store.create(archive_key(), R"({"format_version":7,"id":"x"})");
  CHECK_THROWS_AS(Archive::open(store), StorageError);
  store.replace(archive_key(), "not json");
  CHECK_THROWS_AS(Archive::open(store), StorageError);
}

TEST_CASE("damaged claims are named") {
  const Chain chain{"t", "0"};
  const Claim claim = claim_of(chain, 1, 2, kDay);
  const std::string good = to_json(claim);
  CHECK(to_json(parse_claim(claim.key(), good)) == good);
  CHECK_THROWS_AS(parse_claim(claim_key(chain, 2), good), StorageError);
  for (std::size_t length = 0; length < good.size(); ++length)
    CHECK_THROWS_AS(parse_claim(claim.key(), good.substr(0, length)), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
