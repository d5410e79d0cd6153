// durability: disk: what a power cut leaves of frames whose promise was kept.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "recorder/journal/consumer.hpp"
#include "recorder/journal/cursor.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/journal_power_cut.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::Deadline;
using segue::test::kPatience;
using segue::test::TempDir;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

JournalSettings synced_journal(const fs::path& directory, std::uint64_t max_bytes = 4096 * kKiB) {
  auto settings = small_journal(directory, max_bytes);
  settings.sync_interval = 0ms;
  return settings;
}

// Who waits for a lane's promise; outlives its journal.
class Waiter {
 public:
  void attach(Promise& promise) {
    promise_ = &promise;
    promise.on_kept([this] {
      const std::lock_guard lock(mutex_);
      kept_.notify_all();
    });
  }

  bool wait_for(std::uint64_t lane_sequence) {
    promise_->want(lane_sequence);
    std::unique_lock lock(mutex_);
    return kept_.wait_for(lock, kPatience, [&] { return promise_->reached(lane_sequence); });
  }

 private:
  Promise* promise_ = nullptr;
  std::mutex mutex_;
  std::condition_variable kept_;
};

bool append_within_patience(Lane& lane, std::string_view payload,
                            FrameKind kind = FrameKind::exchange) {
  const Deadline deadline;
  while (!append(lane, payload, kind)) {
    if (deadline.left() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

bool wait_for_failures(const Journal& journal, std::uint64_t failures) {
  const Deadline deadline;
  while (journal.status().sync_failures < failures) {
    if (deadline.left() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("a frame is promised to be on the disk once it was synced, and not before") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  Waiter waiter;
  Journal journal(synced_journal(dir.path()), 1, kKiB, disk);
  journal.sync_on_demand();
  Promise& promise = journal.synced(0);
  waiter.attach(journal.synced(0));
  REQUIRE(append(journal.lane(0), payload_of(1)));
  disk.hold();
  promise.want(1);
  REQUIRE(disk.wait_for_held_sync());
  CHECK(!promise.reached(1));
  disk.release();
  CHECK(waiter.wait_for(1));
  CHECK(!promise.reached(2));
  CHECK(journal.status().syncs == 1);
  CHECK(journal.status().sync_failures == 0);
}

TEST_CASE("nobody waits, so nothing is synced") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  Journal journal(synced_journal(dir.path()), 1, kKiB, disk);
  journal.sync_on_demand();
  for (std::uint64_t n = 1; n <= 100; ++n)
    REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  CHECK(journal.status().syncs == 0);
}

TEST_CASE("one group sync serves all who came to wait during the one before") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  Waiter first;
  Waiter second;
  Journal journal(synced_journal(dir.path()), 2, kKiB, disk);
  journal.sync_on_demand();
  first.attach(journal.synced(0));
  second.attach(journal.synced(1));
  disk.hold();
  REQUIRE(append(journal.lane(0), payload_of(1)));
  journal.synced(0).want(1);
  REQUIRE(disk.wait_for_held_sync());
  for (std::uint64_t n = 2; n <= 20; ++n) {
    REQUIRE(append(journal.lane(n % 2), payload_of(n)));
    journal.synced(n % 2).want(journal.lane(n % 2).last_sequence());
  }
  disk.release();
  CHECK(first.wait_for(journal.lane(0).last_sequence()));
  CHECK(second.wait_for(journal.lane(1).last_sequence()));
  CHECK(journal.status().syncs == 2);
}

TEST_CASE("where nothing is mapped only what was flushed is promised") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  disk.mappable = false;
  Waiter waiter;
  Journal journal(synced_journal(dir.path()), 1, kKiB, disk);
  journal.sync_on_demand();
  waiter.attach(journal.synced(0));
  REQUIRE(append(journal.lane(0), payload_of(1)));
  REQUIRE(journal.lane(0).flush().has_value());
  REQUIRE(append(journal.lane(0), payload_of(2)));
  CHECK(waiter.wait_for(1));
  CHECK(!journal.synced(0).reached(2));
  REQUIRE(journal.lane(0).flush().has_value());
  CHECK(waiter.wait_for(2));
}

TEST_CASE("a failed sync never keeps its promise, whatever the next one says") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  Waiter waiter;
  Journal journal(synced_journal(dir.path()), 1, kKiB, disk);
  journal.sync_on_demand(24h);
  Lane& lane = journal.lane(0);
  waiter.attach(journal.synced(0));
  REQUIRE(append(lane, payload_of(1)));
  REQUIRE(waiter.wait_for(1));
  disk.failing = true;
  REQUIRE(append(lane, payload_of(2)));
  journal.synced(0).want(2);
  REQUIRE(wait_for_failures(journal, 1));
  disk.failing = false;
  // Through several segments: the promise stays where it was, and the journal serves on.
  for (std::uint64_t n = 3; n <= 500; ++n) {
    REQUIRE(append_within_patience(lane, payload_of(n, 1000)));
    journal.synced(0).want(n);
  }
  CHECK(!journal.synced(0).reached(2));
  CHECK(journal.status().sync_failures == 1);
}

TEST_CASE("behind a failed segment promises are kept again, once nobody can wait for it") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  Waiter waiter;
  Journal journal(synced_journal(dir.path()), 1, kKiB, disk);
  journal.sync_on_demand(0ms);
  Lane& lane = journal.lane(0);
  waiter.attach(journal.synced(0));
  disk.failing = true;
  REQUIRE(append(lane, payload_of(1)));
  journal.synced(0).want(1);
  REQUIRE(wait_for_failures(journal, 1));
  disk.failing = false;
  REQUIRE(append(lane, payload_of(2)));
  journal.synced(0).want(2);
  CHECK(!journal.synced(0).reached(1));
  const auto in_first = segments_of(journal.run()).size();
  std::uint64_t n = 2;
  while (segments_of(journal.run()).size() == in_first)
    REQUIRE(append_within_patience(lane, payload_of(++n, 1000)));
  for (const std::uint64_t last = n + 100; n < last;)
    REQUIRE(append_within_patience(lane, payload_of(++n, 1000)));
  CHECK(waiter.wait_for(n));
  CHECK(journal.status().sync_failures == 1);
}

TEST_CASE("a segment is not recycled before what was carried over from it is on the disk") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  PowerCutDisk disk;
  Waiter waiter;
  Journal journal(synced_journal(dir.path(), 512 * kKiB), 1, kKiB, disk);
  journal.sync_on_demand();
  Lane& lane = journal.lane(0);
  waiter.attach(journal.synced(0));
  REQUIRE(open_intent(lane, 7));
  REQUIRE(waiter.wait_for(1));
  disk.hold();
  // A ring would go round. This one is full.
  const std::uint64_t room = 8 * ((64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) /
                                  frame_bytes(payload_of(1, 1000).size())) - 8;
  for (std::uint64_t n = 100; n < 100 + room; ++n)
    REQUIRE(append_within_patience(lane, payload_of(n, 1000)));
  while (append(lane, payload_of(1, 1000))) {
  }
  CHECK(journal.status().overwritten_frames == 0);
  disk.release();
  CHECK(append_within_patience(lane, payload_of(1, 1000)));
}

// A consumer's cursor over both lanes.
struct Passed {
  explicit Passed(Journal& of) : journal(of) {}

  void move(unsigned lane, std::uint64_t position) {
    if (position <= cursor.position(lane)) return;
    cursor.lanes[lane] = position;
    REQUIRE(store_cursor(journal.run(), "archiver", cursor, Sync::no).has_value());
  }
  void move_to_the_end() {
    for (unsigned lane = 0; lane < journal.lanes(); ++lane)
      move(lane, journal.lane(lane).last_sequence());
  }

  Journal& journal;
  Cursor cursor;
};

// A lane's work at random, and what must be found after a power cut.
class Worker {
 public:
  Worker(Passed& passed, unsigned lane, std::mt19937& random)
      : passed_(passed),
        lane_(passed.journal.lane(lane)),
        number_(lane),
        random_(random) {}

  static std::size_t filler(std::uint64_t n) { return n * 37 % 1500; }

  void step(Waiter& waiter) {
    const unsigned draw = random_() % 100;
    if (draw < 25 && open_.size() < 12) {
      begin();
      if (random_() % 8 == 0) {
        REQUIRE(lane_.flush().has_value());
        REQUIRE(waiter.wait_for(lane_.last_sequence()));
      }
    } else if (draw < 50 && !open_.empty()) {
      end(*std::next(open_.begin(), static_cast<std::ptrdiff_t>(random_() % open_.size())));
    } else {
      const std::uint64_t n = next();
      put(n, FrameKind::exchange);
      exchanges_[n] = lane_.last_sequence();
    }
    if (random_() % 3 == 0) REQUIRE(lane_.flush().has_value());
    if (random_() % 10 == 0) passed_.journal.synced(number_).want(lane_.last_sequence());
    if (random_() % 50 == 0)
      passed_.move(number_, lane_.last_sequence() * (random_() % 100) / 100);
  }

  // Exchanges that must be there when `promised` was kept: their own frames, or for an intent its
  // exchange or an INTERRUPTED one.
  std::set<std::uint64_t> expected(std::uint64_t promised) const {
    std::set<std::uint64_t> numbers;
    const std::uint64_t passed = passed_.cursor.position(number_);
    for (const auto& [n, sequence] : exchanges_)
      if (sequence <= promised && sequence > passed) numbers.insert(n);
    for (const auto& [n, sequence] : intents_) {
      const auto closed = exchanges_.find(n);
      if (sequence <= promised && (closed == exchanges_.end() || closed->second > passed))
        numbers.insert(n);
    }
    return numbers;
  }

 private:
  std::uint64_t next() { return ++count_ * 2 + number_; }

  void begin() {
    const std::uint64_t n = next();
    put(n, FrameKind::intent);
    lane_.intent_opened(id_of(n));
    open_.insert(n);
    intents_[n] = lane_.last_sequence();
  }

  void end(std::uint64_t n) {
    put(n, FrameKind::exchange);
    lane_.intent_closed(id_of(n));
    open_.erase(n);
    exchanges_[n] = lane_.last_sequence();
  }

  void put(std::uint64_t n, FrameKind kind) {
    const Deadline deadline;
    while (!append(lane_, payload_of(n, filler(n)), kind)) {
      REQUIRE(deadline.left() > 0);
      passed_.move_to_the_end();
      std::this_thread::yield();
    }
  }

  Passed& passed_;
  Lane& lane_;
  const unsigned number_;
  std::mt19937& random_;
  std::uint64_t count_ = 0;
  std::set<std::uint64_t> open_;
  std::map<std::uint64_t, std::uint64_t> intents_;    // lane_sequence by number
  std::map<std::uint64_t, std::uint64_t> exchanges_;
};

// What must be found in the copy.
std::set<std::uint64_t> work_until_power_cut(const JournalSettings& settings,
                                             const fs::path& copy, std::mt19937& random) {
  PowerCutDisk disk;
  disk.mappable = random() % 4 != 0;
  Waiter first;
  Waiter second;
  Journal journal(settings, 2, kKiB, disk);
  journal.sync_on_demand();
  first.attach(journal.synced(0));
  second.attach(journal.synced(1));
  Passed passed(journal);
  Worker zero(passed, 0, random);
  Worker one(passed, 1, random);
  for (unsigned steps = 50 + random() % 2000; steps > 0; --steps) {
    if (random() % 2 == 0)
      zero.step(first);
    else
      one.step(second);
  }
  // First what was promised, then the cut: a sync may come between.
  std::set<std::uint64_t> expected = zero.expected(journal.synced(0).value());
  expected.merge(one.expected(journal.synced(1).value()));
  disk.cut(settings.directory, copy, random);
  return expected;
}

TEST_CASE("after a power cut every exchange and intent is there whose promise was kept") {
  IN_LEAN_AND_WARM();
  const unsigned seed = std::random_device{}();
  for (unsigned round = segue::test::rounds(15); round > 0; --round) {
    std::mt19937 random(seed + round);
    INFO("seed " << seed + round);
    const TempDir before;
    const TempDir after;
    auto settings = synced_journal(before.path(), (random() % 2 == 0 ? 512 : 4096) * kKiB);
    settings.consumers = {"archiver"};
    settings.sync_interval = std::chrono::milliseconds(random() % 3);
    const auto expected = work_until_power_cut(settings, after.path(), random);

    settings.directory = after.path();
    Journal next(settings, 2, kKiB);
    std::map<std::uint64_t, unsigned> found;
    for (const Row& row : read_journal(after.path()).rows) {
      if (row.payload != payload_of(row.number(), Worker::filler(row.number())))
        FAIL("a frame that was never written");
      ++found[row.number()];
    }
    for (const auto& [n, times] : found)
      if (times != 1) FAIL_CHECK("number " << n << " came " << times << " times");
    for (const std::uint64_t n : expected)
      if (!found.contains(n)) FAIL_CHECK("number " << n << " is missing");

    // The consumer goes on behind its cursor, if that was on the disk.
    JournalConsumer consumer(next, "archiver");
    std::set<std::uint64_t> consumed;
    for (auto one = consumer.next(); one && *one; one = consumer.next())
      consumed.insert(number_in((*one)->frame.payload));
    for (const std::uint64_t n : expected)
      if (!consumed.contains(n)) FAIL_CHECK("number " << n << " was not consumed");
  }
}

}  // namespace
}  // namespace segue::recorder
