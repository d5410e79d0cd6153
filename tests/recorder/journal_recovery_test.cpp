// What a process leaves behind that is gone: seals, open intents, dead runs.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <system_error>
#include <thread>

#include "recorder/journal/cursor.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::TempDir;
namespace fs = std::filesystem;

TEST_CASE("lanes of a dead run that hold nothing do not hide the others") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  for (std::uint32_t used = 0; used < 4; ++used) {
    Journal journal(small_journal(dir.path()), 4, kKiB);
    append(journal.lane(used), payload_of(used + 1));
  }
  CHECK(read_journal(dir.path()).numbers() == std::vector<std::uint64_t>{1, 2, 3, 4});
}

TEST_CASE("an intent without its exchange is INTERRUPTED after a crash, once, before and after "
          "recovery") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  die_after(settings, [](Lane& lane) {
    open_intent(lane, 1);
    open_intent(lane, 2);
    append(lane, payload_of(1, 50));
    lane.intent_closed(id_of(1));
    open_intent(lane, 3);
  });
  const Contents before = read_journal(dir.path());
  CHECK(before.numbers() == std::vector<std::uint64_t>{1, 2, 3});
  {
    const Journal next(settings, 1, kKiB);
    CHECK(next.status().recovered_intents == 2);
    CHECK(next.found_at_start().empty());
  }
  const Contents after = read_journal(dir.path());
  CHECK(after.damage.empty());
  REQUIRE(after.rows.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(after.rows[i].payload == before.rows[i].payload);
    CHECK(after.rows[i].lane_sequence == before.rows[i].lane_sequence);
    CHECK(after.rows[i].commit_ns == before.rows[i].commit_ns);
    CHECK(after.rows[i].kind == FrameKind::exchange);
  }
  CHECK(after.rows[2].payload == payload_of(3));
  // A third process finds nothing more to do.
  const Journal third(settings, 1, kKiB);
  CHECK(third.status().recovered_intents == 0);
  CHECK(read_journal(dir.path()).rows.size() == 3);
}

TEST_CASE("an open intent outlives the segment it was appended to") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path(), 256 * kKiB);  // four segments: all are recycled
  die_after(settings, [](Lane& lane) {
    open_intent(lane, 7, 500);
    for (std::uint64_t n = 100; n < 20'000; ++n) append(lane, payload_of(n));
  });
  const auto rows = read_journal(dir.path()).rows;
  REQUIRE(!rows.empty());
  CHECK(rows.back().payload == payload_of(7, 500));
  CHECK(rows.back().kind == FrameKind::exchange);
  CHECK(rows.at(rows.size() - 2).number() == 19'999);
}

TEST_CASE("an intent that was carried over and then closed is not INTERRUPTED") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  die_after(settings, [](Lane& lane) {
    open_intent(lane, 7);
    for (std::uint64_t n = 100; n < 1000; ++n) append(lane, payload_of(n));
    append(lane, payload_of(7));
    lane.intent_closed(id_of(7));
    append(lane, payload_of(2000));
  });
  const Contents contents = read_journal(dir.path());
  CHECK(contents.rows.size() == 902);
  CHECK(contents.rows.back().number() == 2000);
  const Journal next(settings, 1, kKiB);
  CHECK(next.status().recovered_intents == 0);
}

TEST_CASE("a frame that was being written when the process died is cut") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  die_after(settings, [](Lane& lane) {
    append(lane, payload_of(1));
    auto unfinished = lane.begin(FrameKind::exchange, 5000);
    std::fill(unfinished->begin(), unfinished->end(), 'u');
  });
  const auto segment = segments_of(only_run(dir.path())).at(0);
  const Journal next(settings, 1, kKiB);
  CHECK(next.status().cut_bytes >= 5000);
  CHECK(fs::file_size(segment) ==
        sizeof(SegmentHeader) + frame_bytes(payload_of(1).size()));
  const Contents contents = read_journal(dir.path());
  CHECK(contents.rows.size() == 1);
  CHECK(contents.damage.empty());
}

TEST_CASE("fifty restarts cost what was recorded and not fifty times the preallocation") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path(), 64 * kKiB * kKiB, 512 * kKiB);
  for (std::uint64_t n = 1; n <= 50; ++n) {
    Journal journal(settings, 1, kKiB);
    REQUIRE(append(journal.lane(0), payload_of(n)));
  }
  std::uint64_t bytes = 0;
  for (const auto& run : list_runs(dir.path())) {
    const auto of_run = run_bytes(dir.path() / run);
    REQUIRE(of_run.has_value());
    bytes += *of_run;
  }
  CHECK(bytes == 50 * (sizeof(SegmentHeader) + frame_bytes(payload_of(1).size())));
  std::vector<std::uint64_t> expected;
  for (std::uint64_t n = 1; n <= 50; ++n) expected.push_back(n);
  CHECK(read_journal(dir.path()).numbers() == expected);
}

TEST_CASE("a run that recorded nothing leaves nothing") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  { const Journal journal(small_journal(dir.path()), 2, kKiB); }
  CHECK(list_runs(dir.path()).empty());
}

TEST_CASE("a damaged segment of a dead run is left whole and told") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  die_after(settings, [](Lane& lane) {
    for (std::uint64_t n = 1; n <= 10; ++n) append(lane, payload_of(n));
  });
  const auto segment = segments_of(only_run(dir.path())).at(0);
  const std::uint64_t frame = frame_bytes(payload_of(1).size());
  overwrite(segment, sizeof(SegmentHeader) + 4 * frame + 40, "x!");
  const std::string damaged = file_bytes(segment);
  const Journal next(settings, 1, kKiB);
  REQUIRE(next.found_at_start().size() == 1);
  CHECK(next.found_at_start()[0].segment == segment);
  CHECK(file_bytes(segment) == damaged);
}

TEST_CASE("what a killed process left half made is cleared away") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  fs::create_directories(dir / ".new-20261121T105436.123456Z-9f86d081" / "0");
  fs::create_directories(dir / ".gone-20261121T105436.123456Z-9f86d081" / "0");
  const Journal journal(small_journal(dir.path()), 1, kKiB);
  CHECK(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a running process's runs are neither recovered nor removed by another") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  Journal first(settings, 1, kKiB);
  REQUIRE(open_intent(first.lane(0), 1));
  {
    Journal second(settings, 1, kKiB);
    CHECK(second.status().recovered_intents == 0);
    REQUIRE(append(second.lane(0), payload_of(2)));
    REQUIRE(append(first.lane(0), payload_of(1)));
    first.lane(0).intent_closed(id_of(1));
    CHECK(read_journal(dir.path()).numbers() == std::vector<std::uint64_t>{2, 1});
  }
  REQUIRE(append(first.lane(0), payload_of(3)));
  CHECK(read_journal(dir.path()).numbers() == std::vector<std::uint64_t>{2, 1, 3});
}

TEST_CASE("two processes write one folder at the same time and every frame is read") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path(), 64 * kKiB * kKiB);
  std::vector<pid_t> children;
  for (std::uint64_t child = 0; child < 2; ++child) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      {
        Journal journal(settings, 1, kKiB);
        for (std::uint64_t n = 1; n <= 2000; ++n)
          append(journal.lane(0), payload_of(child * 10'000 + n));
      }
      ::_exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    REQUIRE(status == 0);
  }
  const Contents contents = read_journal(dir.path());
  CHECK(contents.rows.size() == 4000);
  CHECK(contents.damage.empty());
  CHECK(std::is_sorted(contents.rows.begin(), contents.rows.end(),
                       [](const Row& a, const Row& b) { return a.commit_ns < b.commit_ns; }));
}

// The child tells over a pipe what it has committed, then the kill strikes at any moment.
std::uint64_t append_until_killed(const JournalSettings& settings, std::mt19937& random) {
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    Journal journal(settings, 1, kKiB);
    for (std::uint64_t n = 1;; ++n) {
      const std::string payload = payload_of(n, n * 37 % 3000);
      while (!append(journal.lane(0), payload)) std::this_thread::yield();
      if (::write(told[1], &n, sizeof n) != sizeof n) ::_exit(1);
    }
  }
  ::close(told[1]);
  const std::uint64_t enough = 1 + random() % 3000;
  std::uint64_t last = 0;
  std::uint64_t n = 0;
  while (last < enough && ::read(told[0], &n, sizeof n) == sizeof n) last = n;
  ::kill(child, SIGKILL);
  while (::read(told[0], &n, sizeof n) == sizeof n) last = n;
  ::close(told[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return last;
}

TEST_CASE("every frame that was committed before a SIGKILL is read back") {
  IN_LEAN_AND_WARM();
  std::mt19937 random(std::random_device{}());
  for (unsigned round = segue::test::rounds(30); round > 0; --round) {
    const TempDir dir;
    const auto settings = small_journal(dir.path(), 64 * kKiB * kKiB);
    const std::uint64_t committed = append_until_killed(settings, random);
    const auto check = [&] {
      const Contents contents = read_journal(dir.path());
      CHECK(contents.damage.empty());
      // The one after the last that was told may have been committed too.
      REQUIRE(contents.rows.size() >= committed);
      REQUIRE(contents.rows.size() <= committed + 1);
      for (std::uint64_t n = 1; n <= contents.rows.size(); ++n)
        if (contents.rows[n - 1].payload != payload_of(n, n * 37 % 3000)) FAIL("frame " << n);
    };
    check();
    { const Journal next(settings, 1, kKiB); }
    check();
  }
}

TEST_CASE("of a ring whose process was killed an unbroken end is read, up to what was committed") {
  IN_LEAN_AND_WARM();
  std::mt19937 random(std::random_device{}());
  for (unsigned round = segue::test::rounds(15); round > 0; --round) {
    const TempDir dir;
    const auto settings = small_journal(dir.path(), 256 * kKiB);
    const std::uint64_t committed = append_until_killed(settings, random);
    const auto check = [&] {
      const Contents contents = read_journal(dir.path());
      REQUIRE(!contents.rows.empty());
      CHECK(contents.rows.back().lane_sequence >= committed);
      CHECK(contents.rows.back().lane_sequence <= committed + 1);
      std::size_t gaps = 0;
      std::uint64_t bytes_before = 0;
      std::uint64_t bytes = 0;
      std::uint64_t n = contents.rows.front().lane_sequence;
      for (const Row& row : contents.rows) {
        if (row.lane_sequence != n) {
          ++gaps;
          bytes_before = bytes;
          n = row.lane_sequence;
        }
        if (row.payload != payload_of(n, n * 37 % 3000)) FAIL("frame " << n);
        bytes += row.payload.size();
        ++n;
      }
      // The keeper had claimed the oldest segment, and the lane had already emptied those behind it.
      CHECK(gaps <= 1);
      CHECK(bytes_before < settings.segment_bytes);
      CHECK(contents.damage.size() == gaps);
    };
    check();
    {
      const Journal next(settings, 1, kKiB);
      CHECK(next.found_at_start().empty());
    }
    check();
  }
}

TEST_CASE("a cursor is stored whole and read back; one that is damaged is refused") {
  const TempDir dir;
  fs::create_directories(dir / "cursors");
  CHECK(load_cursor(dir.path(), "archiver")->position(0) == 0);
  Cursor cursor;
  cursor.lanes = {{0, 17}, {3, 99}};
  REQUIRE(store_cursor(dir.path(), "archiver", cursor).has_value());
  CHECK(file_bytes(dir / "cursors/archiver.json") ==
        "{\"format_version\":1,\"lanes\":{\"0\":17,\"3\":99}}\n");
  CHECK(load_cursor(dir.path(), "archiver")->lanes == cursor.lanes);
  CHECK(slowest_cursor(dir.path(), {"archiver", "publisher"}, {0, 3}).position(3) == 0);
  dir.write("cursors/archiver.json", "{\"format_version\":2,\"lanes\":{}}");
  CHECK(load_cursor(dir.path(), "archiver").has_error());
}

}  // namespace
}  // namespace segue::recorder
