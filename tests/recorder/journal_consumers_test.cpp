// Consumers in other processes: what they register, what is kept for them, and how their cursors
// move.

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "recorder/journal/consumers.hpp"
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
using Names = std::vector<std::string>;
namespace fs = std::filesystem;

constexpr const char* kName = "archiver";
constexpr std::uint64_t kMaxBytes = 512 * kKiB;

// The keeper makes room beside.
bool append_within_patience(Lane& lane, std::uint64_t n) {
  const Deadline deadline;
  while (!append(lane, payload_of(n, 1000))) {
    if (deadline.left() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

// Until the keeper finds no room any more, which it seeks 50 times a second.
std::uint64_t append_until_full(Lane& lane, std::uint64_t from, std::uint64_t most) {
  constexpr std::chrono::milliseconds kSought{300};
  std::uint64_t n = from;
  for (Deadline deadline(kSought); deadline.left() > 0 && n < from + most;) {
    if (append(lane, payload_of(n, 1000))) {
      ++n;
      deadline = Deadline(kSought);
    } else {
      std::this_thread::yield();
    }
  }
  return n - from;
}

Cursor at(std::uint32_t lane, std::uint64_t position) {
  Cursor cursor;
  cursor.lanes[lane] = position;
  return cursor;
}

ConsumerLease register_in(const fs::path& directory) {
  auto lease = ConsumerLease::take(directory, kName);
  REQUIRE(lease.has_value());
  return std::move(*lease);
}

TEST_CASE("a run says which consumers its gateway is configured for") {
  const TempDir dir;
  auto settings = small_journal(dir.path());
  settings.consumers = {"publisher", kName};
  const Journal journal(settings, 1, kKiB);
  const auto configured = configured_consumers(journal.run());
  REQUIRE(configured.has_value());
  CHECK(*configured == Names{"publisher", kName});
  const auto registered = registered_consumers(dir.path());
  REQUIRE(registered.has_value());
  CHECK(registered->empty());
}

TEST_CASE("a ring keeps what was recorded since a consumer registered, and not what was before") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path(), kMaxBytes), 1, kKiB);
  Lane& lane = journal.lane(0);
  constexpr std::uint64_t kBefore = 1'000;  // twice as much as fits
  for (std::uint64_t n = 1; n <= kBefore; ++n) REQUIRE(append_within_patience(lane, n));
  const std::uint64_t overwritten = journal.status().overwritten_frames;
  CHECK(overwritten > 0);

  const ConsumerLease lease = register_in(dir.path());
  CHECK(consumer_is_leased(dir.path(), kName));
  const std::uint64_t more = append_until_full(lane, kBefore + 1, 10'000);
  CHECK(more > 300);      // what was before made room for it
  CHECK(more < 10'000);   // and then there was none
  const Contents contents = read_journal(dir.path());
  REQUIRE(contents.rows.size() >= more);
  CHECK(contents.rows.back().number() == kBefore + more);
  CHECK(contents.rows.front().number() <= kBefore + 1);
  CHECK(journal.status().overwritten_frames > overwritten);

  // It has read all: room comes by itself, and nothing was overwritten unread.
  const std::uint64_t unread = journal.status().overwritten_frames;
  REQUIRE(advance_cursor(journal.run(), kName, at(0, kBefore + more), Sync::no).has_value());
  REQUIRE(append_within_patience(lane, kBefore + more + 1));
  CHECK(journal.status().overwritten_frames == unread);
}

TEST_CASE("a consumer that was dropped holds nothing") {
  const TempDir dir;
  Journal journal(small_journal(dir.path(), kMaxBytes), 1, kKiB);
  Lane& lane = journal.lane(0);
  { const ConsumerLease lease = register_in(dir.path()); }
  CHECK_FALSE(consumer_is_leased(dir.path(), kName));
  REQUIRE(advance_cursor(journal.run(), kName, at(0, 1), Sync::no).has_value());
  const std::uint64_t more = append_until_full(lane, 1, 10'000);
  CHECK(more < 10'000);
  REQUIRE(drop_consumer(dir.path(), kName).has_value());
  for (std::uint64_t n = 1; n <= 1'000; ++n) REQUIRE(append_within_patience(lane, more + n));
  CHECK(fs::is_empty(journal.run() / "cursors"));
  CHECK(registered_consumers(dir.path())->empty());
}

TEST_CASE("a dead run that a registered consumer has not begun with goes for room and not before") {
  const TempDir dir;
  die_after(small_journal(dir.path(), kMaxBytes), [](Lane& lane) {
    for (std::uint64_t n = 1; n <= 200; ++n) append(lane, payload_of(n, 1000));
  });
  const std::string dead = list_runs(dir.path()).front();
  const ConsumerLease lease = register_in(dir.path());
  Journal journal(small_journal(dir.path(), kMaxBytes), 1, kKiB);
  journal.look_around();
  CHECK(fs::exists(dir.path() / dead));
  for (std::uint64_t n = 1; fs::exists(dir.path() / dead); ++n) {
    REQUIRE(n < 10'000);
    REQUIRE(append_within_patience(journal.lane(0), n));
  }
  // It is counted when the folder is gone for good.
  const Deadline deadline;
  while (journal.status().removed_runs == 0 && deadline.left() > 0) std::this_thread::yield();
  CHECK(journal.status().removed_runs == 1);
}

TEST_CASE("a dead run of its own time stays until the registered consumer has passed it") {
  const TempDir dir;
  fs::create_directories(dir.path());
  const ConsumerLease lease = register_in(dir.path());
  die_after(small_journal(dir.path(), kMaxBytes), [](Lane& lane) {
    for (std::uint64_t n = 1; n <= 100; ++n) append(lane, payload_of(n, 1000));
  });
  const std::string dead = list_runs(dir.path()).front();
  Journal journal(small_journal(dir.path(), kMaxBytes), 1, kKiB);
  CHECK(append_until_full(journal.lane(0), 1, 10'000) < 10'000);
  CHECK(fs::exists(dir.path() / dead));
  REQUIRE(advance_cursor(dir.path() / dead, kName, at(0, 100), Sync::no).has_value());
  journal.look_around();
  CHECK_FALSE(fs::exists(dir.path() / dead));
}

TEST_CASE("several processes of one consumer never take its cursor back") {
  const TempDir dir;
  const Journal journal(small_journal(dir.path()), 2, kKiB);
  constexpr std::uint64_t kLast = 200;
  std::vector<std::thread> movers;
  for (std::uint32_t lane = 0; lane < 2; ++lane)
    movers.emplace_back([&journal, lane] {
      for (std::uint64_t n = 1; n <= kLast; ++n)
        static_cast<void>(advance_cursor(journal.run(), kName, at(lane, n), Sync::no));
    });
  for (std::thread& mover : movers) mover.join();
  auto cursor = load_cursor(journal.run(), kName);
  REQUIRE(cursor.has_value());
  CHECK(cursor->position(0) == kLast);
  CHECK(cursor->position(1) == kLast);
  REQUIRE(advance_cursor(journal.run(), kName, at(0, 5), Sync::no).has_value());
  CHECK(load_cursor(journal.run(), kName)->position(0) == kLast);
}

TEST_CASE("what is dropped is one consumer, and not those whose names begin with its own") {
  const TempDir dir;
  const Journal journal(small_journal(dir.path()), 1, kKiB);
  const std::string other = std::string(kName) + ".loader";
  { const ConsumerLease lease = register_in(dir.path()); }
  REQUIRE(ConsumerLease::take(dir.path(), other).has_value());
  for (const std::string& name : {std::string(kName), other})
    REQUIRE(advance_cursor(journal.run(), name, at(0, 7), Sync::no).has_value());
  REQUIRE(drop_consumer(dir.path(), kName).has_value());
  CHECK(load_cursor(journal.run(), kName)->position(0) == 0);
  CHECK(load_cursor(journal.run(), other)->position(0) == 7);
  CHECK(*registered_consumers(dir.path()) == Names{other});
}

TEST_CASE("of processes that register at the same moment the first says where the consumer begins") {
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 4096 * kKiB), 1, kKiB);
  constexpr unsigned kRounds = 200;
  constexpr unsigned kProcesses = 4;
  for (unsigned round = 0; round < kRounds; ++round) {
    std::atomic<unsigned> ready{0};
    std::atomic<unsigned> taken{0};
    std::vector<std::thread> processes;
    for (unsigned n = 0; n < kProcesses; ++n)
      processes.emplace_back([&] {
        ++ready;
        while (ready < kProcesses) std::this_thread::yield();
        const auto lease = ConsumerLease::take(dir.path(), kName);
        ++taken;
      });
    while (taken == 0) std::this_thread::yield();
    // The first is registered; this comes behind.
    const bool appended = append(journal.lane(0), payload_of(round + 1));
    for (std::thread& process : processes) process.join();
    REQUIRE(appended);
    const auto to = consumed_to(journal.run(), {}, {kName}, {0});
    REQUIRE(to.has_value());
    REQUIRE(to->free.position(0) == round);
    REQUIRE(drop_consumer(dir.path(), kName).has_value());
  }
}

TEST_CASE("a process that registers again finds where its consumer began") {
  const TempDir dir;
  Journal journal(small_journal(dir.path(), kMaxBytes), 1, kKiB);
  for (std::uint64_t n = 1; n <= 10; ++n) REQUIRE(append(journal.lane(0), payload_of(n)));
  { const ConsumerLease lease = register_in(dir.path()); }
  for (std::uint64_t n = 11; n <= 20; ++n) REQUIRE(append(journal.lane(0), payload_of(n)));
  const ConsumerLease lease = register_in(dir.path());
  const auto to = consumed_to(journal.run(), {}, {kName}, {0});
  REQUIRE(to.has_value());
  CHECK(to->passed.position(0) == 0);
  CHECK(to->free.position(0) == 10);
}

}  // namespace
}  // namespace segue::recorder
