// What one consumer reads, what its cursors say, and what becomes of runs that died.

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "recorder/journal/consumer.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::Deadline;
using segue::test::TempDir;
using Sync = JournalConsumer::Sync;
using Numbers = std::vector<std::uint64_t>;
namespace fs = std::filesystem;

constexpr const char* kName = "publisher";

JournalSettings consumed_journal(const fs::path& directory, std::uint64_t max_bytes = 4096 * kKiB) {
  auto settings = small_journal(directory, max_bytes);
  settings.consumers = {kName};
  return settings;
}

// What a test remembers of a frame that was given.
struct Taken {
  std::uint32_t run;
  std::uint32_t lane;
  std::uint64_t lane_sequence;
  std::uint64_t number;
  bool own_run;
};

std::optional<Taken> take_one(JournalConsumer& consumer) {
  const auto next = consumer.next();
  REQUIRE(next.has_value());
  if (!*next) return std::nullopt;
  const ConsumedFrame& given = **next;
  return Taken{given.run, given.frame.lane, given.frame.lane_sequence,
               number_in(given.frame.payload), given.own_run};
}

// Everything that is there now.
std::vector<Taken> take_all(JournalConsumer& consumer) {
  std::vector<Taken> taken;
  while (const auto one = take_one(consumer)) taken.push_back(*one);
  return taken;
}

Numbers numbers_of(const std::vector<Taken>& taken) {
  Numbers numbers;
  for (const Taken& one : taken) numbers.push_back(one.number);
  return numbers;
}

void finish(JournalConsumer& consumer, const Taken& one) {
  consumer.done(one.run, one.lane, one.lane_sequence);
}

void finish(JournalConsumer& consumer, const std::vector<Taken>& taken) {
  for (const Taken& one : taken) finish(consumer, one);
}

Numbers up_to(std::uint64_t last, std::uint64_t first = 1) {
  Numbers numbers;
  for (std::uint64_t n = first; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

bool append_within_patience(Lane& lane, std::string_view payload) {
  const Deadline deadline;
  while (!append(lane, payload)) {
    if (deadline.left() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

std::uint64_t stored_position(const fs::path& run, std::uint32_t lane = 0) {
  const auto cursor = load_cursor(run, kName);
  REQUIRE(cursor.has_value());
  return cursor->position(lane);
}

TEST_CASE("a consumer is given each frame of its own run once, as it is appended") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path()), 1, kKiB);
  JournalConsumer consumer(journal, kName);
  CHECK(!take_one(consumer));
  for (std::uint64_t n = 1; n <= 3; ++n) REQUIRE(append(journal.lane(0), payload_of(n)));
  const auto first = take_all(consumer);
  CHECK(numbers_of(first) == Numbers{1, 2, 3});
  CHECK(first[0].own_run);
  REQUIRE(append(journal.lane(0), payload_of(4)));
  CHECK(numbers_of(take_all(consumer)) == Numbers{4});
  CHECK(!take_one(consumer));
}

TEST_CASE("a cursor passes a frame when all before it in its lane are done") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path()), 1, kKiB);
  JournalConsumer consumer(journal, kName);
  Numbers told;
  consumer.on_progress([&](std::uint32_t, std::uint64_t at) { told.push_back(at); });
  for (std::uint64_t n = 1; n <= 4; ++n) REQUIRE(append(journal.lane(0), payload_of(n)));
  const auto taken = take_all(consumer);
  finish(consumer, taken[2]);
  finish(consumer, taken[1]);
  CHECK(told.empty());
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(stored_position(journal.run()) == 0);
  CHECK(consumer.lag().records == 4);
  finish(consumer, taken[0]);
  CHECK(told == Numbers{3});
  REQUIRE(consumer.store(Sync::yes).has_value());
  CHECK(stored_position(journal.run()) == 3);
  CHECK(consumer.lag().records == 1);
  CHECK(consumer.lag().bytes > 100);
  CHECK(consumer.lag().oldest_ns > 0);
  finish(consumer, taken[3]);
  CHECK(told == Numbers{3, 4});
  CHECK(consumer.lag().records == 0);
  CHECK(consumer.lag().bytes == 0);
  CHECK(consumer.lag().oldest_ns == 0);
}

TEST_CASE("intents are passed on the way, and trailing ones leave no lag") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path()), 1, kKiB);
  JournalConsumer consumer(journal, kName);
  REQUIRE(open_intent(journal.lane(0), 7));
  REQUIRE(append(journal.lane(0), payload_of(1)));
  REQUIRE(open_intent(journal.lane(0), 8));
  CHECK(consumer.lag().records == 3);
  const auto taken = take_all(consumer);
  REQUIRE(numbers_of(taken) == Numbers{1});
  finish(consumer, taken);
  CHECK(consumer.lag().records == 0);
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(stored_position(journal.run()) == 3);
}

TEST_CASE("after a rewind everything behind the cursor comes again, and nothing before it") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path()), 2, kKiB);
  JournalConsumer consumer(journal, kName);
  for (std::uint64_t n = 1; n <= 600; ++n)
    REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  for (std::uint64_t n = 601; n <= 610; ++n) REQUIRE(append(journal.lane(1), payload_of(n)));
  const auto taken = take_all(consumer);
  REQUIRE(numbers_of(taken) == up_to(610));
  for (std::size_t i = 0; i < 400; ++i) finish(consumer, taken[i]);
  finish(consumer, taken[500]);  // behind a hole
  consumer.rewind();
  CHECK(consumer.lag().records == 210);
  const auto again = take_all(consumer);
  CHECK(numbers_of(again) == up_to(610, 401));
  CHECK(consumer.lost_frames() == 0);
  finish(consumer, again);
  CHECK(consumer.lag().records == 0);
}

TEST_CASE("the next process goes on behind the cursor and says that it is not its own run") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  die_after(settings, 1, [](Journal& journal) {
    for (std::uint64_t n = 1; n <= 500; ++n)
      append_within_patience(journal.lane(0), payload_of(n, 1000));
    JournalConsumer consumer(journal, kName);
    for (std::uint64_t n = 1; n <= 300; ++n) finish(consumer, *take_one(consumer));
    static_cast<void>(consumer.store(Sync::no));
    finish(consumer, *take_one(consumer));  // done, but not stored
  });
  const auto former = only_run(dir.path());
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName);
  REQUIRE(append(journal.lane(0), payload_of(501)));
  const auto taken = take_all(consumer);
  CHECK(numbers_of(taken) == up_to(501, 301));
  CHECK(!taken.front().own_run);
  CHECK(taken.back().own_run);
  CHECK(consumer.lost_frames() == 0);
  CHECK(fs::exists(former));

  // Done and stored, it goes.
  finish(consumer, taken);
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(!fs::exists(former));
  CHECK(consumer.lag().records == 0);
  CHECK(journal.status().removed_runs == 1);
}

TEST_CASE("open intents of a dead run come as exchanges, exactly once") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  die_after(settings, [](Lane& lane) {
    open_intent(lane, 7);
    append(lane, payload_of(1));
    open_intent(lane, 8);
    append(lane, payload_of(8));
    lane.intent_closed(id_of(8));
  });
  const auto former = only_run(dir.path());
  {
    Journal journal(settings, 1, kKiB);
    JournalConsumer consumer(journal, kName);
    const auto taken = take_all(consumer);
    CHECK(numbers_of(taken) == Numbers{1, 8, 7});
    finish(consumer, taken[0]);
    finish(consumer, taken[1]);
    REQUIRE(consumer.store(Sync::no).has_value());
  }
  CHECK(stored_position(former) == 4);
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName);
  const auto rest = take_all(consumer);
  CHECK(numbers_of(rest) == Numbers{7});
  finish(consumer, rest);
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(!fs::exists(former));
}

TEST_CASE("a run of a process that lives is left alone, and taken when it has died") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  int ready[2];
  int die[2];
  REQUIRE(::pipe(ready) == 0);
  REQUIRE(::pipe(die) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Journal journal(settings, 1, kKiB);
    append(journal.lane(0), payload_of(1));
    char byte = 'r';
    ::close(die[1]);
    if (::write(ready[1], &byte, 1) != 1 || ::read(die[0], &byte, 1) < 0) ::_exit(1);
    ::kill(::getpid(), SIGKILL);
  }
  ::close(die[0]);
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  const auto other = only_run(dir.path());
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName);
  REQUIRE(append(journal.lane(0), payload_of(2)));
  const auto own = take_all(consumer);
  CHECK(numbers_of(own) == Numbers{2});
  finish(consumer, own);

  ::close(die[1]);
  ::close(ready[0]);
  ::close(ready[1]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const Deadline deadline;
  std::optional<Taken> late;
  while (!(late = take_one(consumer)) && deadline.left() > 0) std::this_thread::yield();
  REQUIRE(late);
  CHECK(late->number == 1);
  CHECK(!late->own_run);
  finish(consumer, *late);
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(!take_one(consumer));
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(!fs::exists(other));
}

TEST_CASE("while one process consumes a dead run no other does") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  die_after(settings, [](Lane& lane) { append(lane, payload_of(1)); });
  Journal first(settings, 1, kKiB);
  Journal second(settings, 1, kKiB);  // a lock counts by open file, so this may be one process
  JournalConsumer holder(first, kName);
  const auto held = take_all(holder);
  REQUIRE(numbers_of(held) == Numbers{1});
  {
    JournalConsumer other(second, kName);
    CHECK(!take_one(other));
  }
  // A reader still sees it, and sees that it is over.
  CHECK(read_journal(dir.path()).numbers() == Numbers{1});
}

TEST_CASE("a dead run that another consumer has not passed is let go of and kept") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  auto settings = consumed_journal(dir.path());
  settings.consumers.push_back("archiver");
  die_after(settings, [](Lane& lane) { append(lane, payload_of(1)); });
  const auto run = only_run(dir.path());
  Journal journal(settings, 1, kKiB);
  JournalConsumer publisher(journal, kName);
  const auto taken = take_all(publisher);
  finish(publisher, taken);
  REQUIRE(publisher.store(Sync::no).has_value());
  CHECK(!take_one(publisher));
  REQUIRE(publisher.store(Sync::no).has_value());
  CHECK(fs::exists(run));
  CHECK(!run_is_locked(run));
  JournalConsumer archiver(journal, "archiver");
  const auto archived = take_all(archiver);
  CHECK(numbers_of(archived) == Numbers{1});
  finish(archiver, archived);
  REQUIRE(archiver.store(Sync::no).has_value());
  CHECK(!take_one(archiver));
  REQUIRE(archiver.store(Sync::no).has_value());
  CHECK(!fs::exists(run));
}

TEST_CASE("a damaged frame of a dead run is counted, and the run is passed all the same") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = consumed_journal(dir.path());
  die_after(settings, [](Lane& lane) {
    for (std::uint64_t n = 1; n <= 10; ++n) append(lane, payload_of(n));
  });
  const auto run = only_run(dir.path());
  const std::uint64_t frame = frame_bytes(payload_of(1).size());
  overwrite(segments_of(run).at(0), sizeof(SegmentHeader) + 4 * frame + 40, "x!");
  Journal journal(settings, 1, kKiB);
  JournalConsumer consumer(journal, kName);
  auto taken = take_all(consumer);
  CHECK(numbers_of(taken) == up_to(4));
  CHECK(consumer.lost_frames() == 6);
  CHECK(consumer.damage().size() == 1);
  consumer.rewind();
  taken = take_all(consumer);
  CHECK(numbers_of(taken) == up_to(4));
  CHECK(consumer.lost_frames() == 6);
  CHECK(consumer.damage().size() == 1);
  finish(consumer, taken);
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(!fs::exists(run));
  CHECK(consumer.lost_frames() == 6);
}

TEST_CASE("a damaged frame of the own run is a counted gap") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path()), 1, kKiB);
  for (std::uint64_t n = 1; n <= 100; ++n)
    REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  const std::uint64_t frame = frame_bytes(payload_of(1, 1000).size());
  overwrite(segments_of(journal.run()).at(0), sizeof(SegmentHeader) + 4 * frame + 40, "x!");
  JournalConsumer consumer(journal, kName);
  const auto taken = take_all(consumer);
  CHECK(consumer.lost_frames() == 100 - taken.size());
  CHECK(consumer.lost_frames() > 40);
  finish(consumer, taken);
  CHECK(consumer.lag().records == 0);
}

TEST_CASE("with a consumer that keeps up the journal goes round without a loss or a refusal") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path(), 1024 * kKiB), 1, kKiB);
  constexpr std::uint64_t kLast = 20'000;
  std::thread writer([&] {
    for (std::uint64_t n = 1; n <= kLast; ++n)
      if (!append_within_patience(journal.lane(0), payload_of(n, n % 700))) return;
  });
  JournalConsumer consumer(journal, kName);
  std::uint64_t expected = 1;
  const Deadline deadline;
  while (expected <= kLast && deadline.left() > 0) {
    const auto next = consumer.next();
    REQUIRE(next.has_value());
    if (!*next) {
      REQUIRE(consumer.store(Sync::no).has_value());
      std::this_thread::yield();
      continue;
    }
    const Frame& frame = (*next)->frame;
    if (frame.payload != payload_of(expected, expected % 700)) FAIL("frame " << expected);
    ++expected;
    consumer.done((*next)->run, frame.lane, frame.lane_sequence);
    if (expected % 50 == 0) REQUIRE(consumer.store(Sync::no).has_value());
  }
  writer.join();
  CHECK(expected == kLast + 1);
  CHECK(consumer.lost_frames() == 0);
  CHECK(journal.status().overwritten_frames == 0);
  CHECK(consumer.lag().records == 0);
}

TEST_CASE("a consumer that stands before trailing intents lets their segments be recycled") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path(), 256 * kKiB), 1, kKiB);
  Lane& lane = journal.lane(0);
  JournalConsumer consumer(journal, kName);
  // Intents alone, each closed again: more than the journal holds.
  for (std::uint64_t n = 1; n <= 2000; ++n) {
    const Deadline deadline;
    while (!open_intent(lane, n, 1000)) {
      REQUIRE(deadline.left() > 0);
      CHECK(!take_one(consumer));
      REQUIRE(consumer.store(Sync::no).has_value());
      std::this_thread::yield();
    }
    lane.intent_closed(id_of(n));
  }
  CHECK(!take_one(consumer));
  CHECK(consumer.lag().records == 0);
}

TEST_CASE("a journal that is full has room again once the consumer has gone on") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(consumed_journal(dir.path(), 512 * kKiB), 1, kKiB);
  Lane& lane = journal.lane(0);
  // Room ends for good once every segment of max_size is full.
  const std::uint64_t last = 8 * ((64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) /
                                  frame_bytes(payload_of(1, 1000).size()));
  for (std::uint64_t n = 1; n <= last; ++n)
    REQUIRE(append_within_patience(lane, payload_of(n, 1000)));
  CHECK(!append(lane, payload_of(1, 1000)));
  JournalConsumer consumer(journal, kName);
  finish(consumer, take_all(consumer));
  CHECK(!append(lane, payload_of(1, 1000)));  // done, but not stored
  REQUIRE(consumer.store(Sync::no).has_value());
  CHECK(append_within_patience(lane, payload_of(last + 1, 1000)));
  CHECK(journal.status().overwritten_frames == 0);
}

}  // namespace
}  // namespace segue::recorder
