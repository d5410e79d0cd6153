// What is there and cannot be opened for a while is no end and no loss: it is read later.

#include <sys/resource.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "recorder/journal/consumer.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::Deadline;
using segue::test::TempDir;
using namespace std::chrono_literals;
using Sync = JournalConsumer::Sync;
using Numbers = std::vector<std::uint64_t>;
namespace fs = std::filesystem;

constexpr const char* kName = "publisher";
constexpr std::uint64_t kFrames = 300;  // some five segments

JournalSettings consumed_journal(const fs::path& directory, std::uint64_t max_bytes = 4096 * kKiB) {
  auto settings = small_journal(directory, max_bytes);
  settings.consumers = {kName};
  settings.sync_interval = 0ms;
  return settings;
}

// While it lives nothing can be opened: every descriptor is taken. One is left for poll(), which
// counts against the limit, too.
class NoDescriptors {
 public:
  NoDescriptors() {
#ifdef __SANITIZE_ADDRESS__
    // The undefined-behaviour sanitizer opens a pipe to see whether an object is there.
    SKIP("sanitizers need descriptors of their own");
#endif
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0);
    rlimit none = before_;
    none.rlim_cur = 1;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

// While it lives the folder or file is there and cannot be opened, not even by root.
class ClosedName {
 public:
  explicit ClosedName(fs::path folder) : folder_(std::move(folder)), aside_(folder_) {
    aside_ += ".aside";
    fs::rename(folder_, aside_);
    fs::create_symlink(folder_.filename(), folder_);
  }
  ~ClosedName() {
    std::error_code ignored;
    fs::remove(folder_, ignored);
    fs::rename(aside_, folder_, ignored);
  }
  ClosedName(const ClosedName&) = delete;
  ClosedName& operator=(const ClosedName&) = delete;

 private:
  fs::path folder_;
  fs::path aside_;
};

bool append_within_patience(Lane& lane, std::string_view payload) {
  const Deadline deadline;
  while (!append(lane, payload)) {
    if (deadline.left() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

// At most so many of those that are there now; each is done.
void take(JournalConsumer& consumer, Numbers& numbers, std::uint64_t most = UINT64_MAX) {
  for (; most > 0; --most) {
    const auto next = consumer.next();
    REQUIRE(next.has_value());
    if (!*next) return;
    const ConsumedFrame& given = **next;
    numbers.push_back(number_in(given.frame.payload));
    consumer.done(given.run, given.frame.lane, given.frame.lane_sequence);
  }
}

void take_until(JournalConsumer& consumer, Numbers& numbers, std::uint64_t count) {
  const Deadline deadline;
  while (numbers.size() < count && deadline.left() > 0) take(consumer, numbers);
}

Numbers up_to(std::uint64_t last, std::uint64_t first = 1) {
  Numbers numbers;
  for (std::uint64_t n = first; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

void leave_dead_run(const JournalSettings& settings) {
  die_after(settings, [](Lane& lane) {
    for (std::uint64_t n = 1; n <= kFrames; ++n) append_within_patience(lane, payload_of(n, 1000));
  });
}

TEST_CASE("a dead run is read to its end although for a while nothing can be opened") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  leave_dead_run(settings);
  const auto run = only_run(dir.path());
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName, 0ms);
  Numbers numbers;
  take(consumer, numbers, 10);
  {
    const NoDescriptors none;
    for (int look = 0; look < 5; ++look) take(consumer, numbers);
    CHECK(numbers.size() < kFrames);
    CHECK(consumer.lag().records == kFrames - numbers.size());
  }
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(fs::exists(run));
  take(consumer, numbers);
  CHECK(numbers == up_to(kFrames));
  CHECK(consumer.lost_frames() == 0);
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(!fs::exists(run));
}

TEST_CASE("the own run is read to its end although for a while nothing can be opened") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path()), 1, kKiB);
  for (std::uint64_t n = 1; n <= kFrames; ++n)
    REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  Numbers numbers;
  std::optional<JournalConsumer> consumer;
  {
    const NoDescriptors none;
    consumer.emplace(journal, kName, 0ms);
    take(*consumer, numbers);
    CHECK(numbers.empty());
  }
  take(*consumer, numbers, 10);
  {
    const NoDescriptors none;
    for (int look = 0; look < 5; ++look) take(*consumer, numbers);
    CHECK(consumer->lag().records == kFrames - numbers.size());
    consumer->rewind();
    take(*consumer, numbers);
  }
  take(*consumer, numbers);
  CHECK(numbers == up_to(kFrames));
  CHECK(consumer->lost_frames() == 0);
}

TEST_CASE("a dead run whose lane cannot be opened is kept, counted, and read when it can be") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  leave_dead_run(settings);
  const auto run = only_run(dir.path());
  std::optional<ClosedName> closed(std::in_place, run / "0");
  Journal journal(settings, 1, kKiB);
  CHECK(journal.found_at_start().size() == 1);
  CHECK(!run_is_sealed(run));
  REQUIRE(append(journal.lane(0), payload_of(kFrames + 1)));
  JournalConsumer consumer(journal, kName, 0ms);
  Numbers numbers;
  take(consumer, numbers);
  CHECK(numbers == Numbers{kFrames + 1});
  CHECK(consumer.unreadable_runs() == 1);
  CHECK(consumer.damage().size() == 1);
  closed.reset();
  numbers.clear();
  take_until(consumer, numbers, kFrames);
  CHECK(numbers == up_to(kFrames));
  CHECK(consumer.unreadable_runs() == 0);
  CHECK(consumer.damage().size() == 1);
  CHECK(consumer.lost_frames() == 0);
}

TEST_CASE("a dead run whose lock cannot be opened is counted and tried again") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  leave_dead_run(settings);
  const auto run = only_run(dir.path());
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName, 0ms);
  Numbers numbers;
  {
    const ClosedName lock(run / "lock");
    take(consumer, numbers);
    CHECK(consumer.unreadable_runs() == 1);
  }
  take_until(consumer, numbers, kFrames);
  CHECK(numbers == up_to(kFrames));
  CHECK(consumer.unreadable_runs() == 0);
}

TEST_CASE("a seal that cannot be read, or lacks a lane, is made again") {
  IN_LEAN_AND_WARM();
  const std::string seal = GENERATE(std::string("x"), std::string(),
                                    std::string("{\"format_version\":1,\"lanes\":{}}\n"));
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  leave_dead_run(settings);
  const auto run = only_run(dir.path());
  Journal journal(settings, 1, kKiB);
  REQUIRE(run_is_sealed(run));
  std::ofstream(run / "sealed.json", std::ios::trunc) << seal;
  CHECK(!run_is_passed(run, {kName}));
  JournalConsumer consumer(journal, kName, 0ms);
  Numbers numbers;
  take(consumer, numbers);
  CHECK(numbers == up_to(kFrames));
  CHECK(consumer.unreadable_runs() == 0);
}

TEST_CASE("after a power cut took the cursor nothing is lost that was passed and recycled") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path(), 512 * kKiB);
  die_after(settings, 1, [](Journal& journal) {
    JournalConsumer consumer(journal, kName);
    for (std::uint64_t n = 1; n <= 2000; ++n) {
      const Deadline deadline;
      while (!append(journal.lane(0), payload_of(n, 1000)) && deadline.left() > 0) {
        for (auto next = consumer.next(); next && *next; next = consumer.next())
          consumer.done((*next)->run, 0, (*next)->frame.lane_sequence);
        static_cast<void>(consumer.store(Sync::no));
      }
    }
  });
  const auto run = only_run(dir.path());
  if (GENERATE(true, false)) {
    REQUIRE(fs::remove(run / "cursors" / "publisher.json"));
  } else {
    REQUIRE(store_cursor(run, kName, Cursor{{{0, 3}}}).has_value());
  }
  for (const fs::path& segment : segments_of(run)) {  // of a boot that is over
    SegmentHeader header{};
    std::memcpy(&header, file_bytes(segment).data(), sizeof header);
    header.boot_id[0] = static_cast<std::uint8_t>(header.boot_id[0] ^ 0xFF);
    finish_header(header);
    overwrite(segment, 0, {reinterpret_cast<const char*>(&header), sizeof header});
  }
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName);
  Numbers numbers;
  take(consumer, numbers);
  REQUIRE(!numbers.empty());
  CHECK(numbers.front() > 3);
  CHECK(numbers == up_to(2000, numbers.front()));
  CHECK(consumer.lost_frames() == 0);
}

TEST_CASE("what could not be opened to sync it is synced later and is no failure") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  journal.sync_on_demand(24h);
  Lane& lane = journal.lane(0);
  Promise& promise = journal.synced(0);
  {
    const NoDescriptors none;
    REQUIRE(append(lane, payload_of(1)));
    promise.want(1);
    const Deadline deadline;
    while (journal.status().syncs < 2 && deadline.left() > 0) std::this_thread::yield();
    // Into the spare, which nobody can open for the syncer now.
    for (std::uint64_t n = 2; n <= 90; ++n) REQUIRE(append(lane, payload_of(n, 1000)));
    promise.want(lane.last_sequence());
    CHECK(!promise.reached(1));
  }
  const Deadline deadline;
  while (!promise.reached(lane.last_sequence()) && deadline.left() > 0) std::this_thread::yield();
  CHECK(promise.reached(lane.last_sequence()));
  CHECK(journal.status().sync_failures == 0);
}

class FolderLog final : public Storage {
 public:
  int sync_folder(const fs::path& folder) const override {
    const std::lock_guard lock(mutex_);
    synced_.insert(folder);
    return error;
  }
  bool has(const fs::path& folder) const {
    const std::lock_guard lock(mutex_);
    return synced_.contains(folder);
  }

  std::atomic<int> error{0};

 private:
  mutable std::mutex mutex_;
  mutable std::set<fs::path> synced_;
};

TEST_CASE("every folder that was made for a journal is synced before it promises anything") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  FolderLog disk;
  Journal journal(small_journal(dir.path() / "a" / "b" / "c"), 1, kKiB, disk);
  journal.sync_on_demand();
  CHECK(disk.has(dir.path()));
  CHECK(disk.has(dir.path() / "a"));
  CHECK(disk.has(dir.path() / "a" / "b"));
  CHECK(!disk.has(dir.path().parent_path()));
}

TEST_CASE("a journal whose folders cannot be synced does not begin to promise") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  FolderLog disk;
  disk.error = EIO;
  Journal journal(small_journal(dir.path() / "a" / "b"), 1, kKiB, disk);
  CHECK_THROWS_AS(journal.sync_on_demand(), StartupError);
}

}  // namespace
}  // namespace segue::recorder
