// What happens when max_size or the disk is reached, and at the start when it cannot work.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cerrno>
#include <filesystem>
#include <string>
#include <thread>

#include "recorder/journal/cursor.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using Catch::Matchers::ContainsSubstring;
using segue::test::SmallDisk;
using segue::test::TempDir;
namespace fs = std::filesystem;

// A disk that a test fills and frees.
class MoodyStorage final : public Storage {
 public:
  int allocate(int fd, std::uint64_t bytes) const override {
    if (full) return ENOSPC;
    return Storage::allocate(fd, bytes);
  }
  bool maps(const fs::path& directory) const override {
    return mappable && Storage::maps(directory);
  }
  int zero(int fd, std::uint64_t from, std::uint64_t bytes) const override {
    return worn ? EIO : Storage::zero(fd, from, bytes);
  }
  std::atomic<bool> full{false};
  std::atomic<bool> worn{false};
  bool mappable = true;
};

// Appends until there is no room.
std::uint64_t fill(Lane& lane, std::uint64_t first) {
  std::uint64_t n = first;
  while (append(lane, payload_of(n, 1000))) ++n;
  return n - 1;
}

// Until the keeper has found room again.
bool append_within_patience(Lane& lane, std::string_view payload) {
  const segue::test::Deadline deadline;
  while (!append(lane, payload)) {
    if (deadline.left() == 0) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("without consumers the journal is a ring that overwrites its oldest and counts it") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  constexpr std::uint64_t kLast = 5000;
  JournalStatus status;
  {
    Journal journal(small_journal(dir.path(), 512 * kKiB), 1, kKiB);
    for (std::uint64_t n = 1; n <= kLast; ++n)
      REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
    status = journal.status();
  }
  const Contents contents = read_journal(dir.path());
  CHECK(contents.damage.empty());
  REQUIRE(!contents.rows.empty());
  CHECK(contents.rows.back().number() == kLast);
  CHECK(status.bytes_on_disk <= 512 * kKiB);
  CHECK(status.overwritten_segments > 50);
  CHECK(status.overwritten_frames >= kLast - contents.rows.size() - 100);
  CHECK(contents.rows.front().number() > status.overwritten_frames - 200);
}

TEST_CASE("a reader whose segments are overwritten meets counted gaps and never an end") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 256 * kKiB), 1, kKiB);
  constexpr std::uint64_t kLast = 60'000;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t n = 1; n <= kLast; ++n)
      if (!append_within_patience(journal.lane(0), payload_of(n, n % 700))) return;
    done = true;
  });
  auto reader = JournalReader::open(dir.path(), {});
  REQUIRE(reader.has_value());
  std::uint64_t read = 0;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  bool finished = false;
  while (!finished) {
    finished = done.load();
    for (const Row& row : drain(**reader)) {
      if (row.payload != payload_of(row.lane_sequence, row.lane_sequence % 700))
        FAIL("a frame that was never written");
      if (row.lane_sequence <= last) FAIL("order");
      if (first == 0) first = row.lane_sequence;
      last = row.lane_sequence;
      ++read;
    }
  }
  writer.join();
  std::uint64_t lost = 0;
  for (const Damage& damage : (*reader)->damage()) {
    lost += damage.lost;
    const std::string_view what = damage.what;
    if (what != "segment was recycled while it was read" &&
        what != "frames are missing before this one")
      FAIL_CHECK(what << " at " << damage.offset);
  }
  CHECK(last == kLast);
  CHECK(read + lost == kLast - first + 1);
}

TEST_CASE("with a consumer that is behind there is no room, and nothing is overwritten") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  auto settings = small_journal(dir.path(), 512 * kKiB);
  settings.consumers = {"archiver"};
  Journal journal(settings, 1, kKiB);
  Lane& lane = journal.lane(0);
  // Room ends for good once every segment of max_size is full.
  const std::uint64_t last = 8 * ((64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) /
                                  frame_bytes(payload_of(1, 1000).size()));
  for (std::uint64_t n = 1; n <= last; ++n)
    REQUIRE(append_within_patience(lane, payload_of(n, 1000)));
  CHECK(read_journal(dir.path()).rows.size() == last);
  CHECK(!append(lane, payload_of(1, 1000)));
  CHECK(journal.status().overwritten_frames == 0);
  CHECK(journal.status().refused > 0);

  // The consumer catches up: room comes by itself.
  Cursor cursor;
  cursor.lanes[0] = last;
  REQUIRE(store_cursor(journal.run(), "archiver", cursor).has_value());
  CHECK(append_within_patience(lane, payload_of(last + 1, 1000)));
  CHECK(journal.status().overwritten_frames == 0);
}

TEST_CASE("room is scarce once half of it waits for a consumer, until that has caught up") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  auto settings = small_journal(dir.path(), 2048 * kKiB);
  settings.consumers = {"publisher"};
  Journal journal(settings, 1, kKiB);
  Lane& lane = journal.lane(0);
  const auto becomes = [&lane](bool scarce) {
    const segue::test::Deadline deadline;
    while (lane.scarce() != scarce && deadline.left() > 0) std::this_thread::yield();
    return lane.scarce() == scarce;
  };
  std::uint64_t n = 0;
  while (n * kKiB < 700 * kKiB) REQUIRE(append(lane, payload_of(++n, 1000)));
  CHECK_FALSE(lane.scarce());
  while (n * kKiB < 1300 * kKiB) REQUIRE(append_within_patience(lane, payload_of(++n, 1000)));
  CHECK(becomes(true));
  REQUIRE(append(lane, payload_of(++n, 1000)));  // of clients, all the same
  Cursor cursor;
  cursor.lanes[0] = n;
  REQUIRE(store_cursor(journal.run(), "publisher", cursor).has_value());
  CHECK(becomes(false));
}

TEST_CASE("a ring is never scarce") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 512 * kKiB), 1, kKiB);
  for (std::uint64_t n = 1; n <= 2000; ++n)
    REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  CHECK_FALSE(journal.lane(0).scarce());
}

TEST_CASE("room that an intent reserved is there when nothing else is") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  auto settings = small_journal(dir.path(), 256 * kKiB);
  settings.consumers = {"archiver"};
  Journal journal(settings, 1, kKiB);
  Lane& lane = journal.lane(0);
  constexpr std::uint64_t kIntents = 8;
  constexpr std::size_t kExchange = 2000;
  for (std::uint64_t n = 1; n <= kIntents; ++n) {
    REQUIRE(lane.reserve(kExchange).has_value());
    REQUIRE(open_intent(lane, n, 1000));
  }
  std::uint64_t n = 100;
  while (journal.status().segments < 4) n = fill(lane, n) + 1;
  n = fill(lane, n) + 1;
  std::this_thread::yield();
  n = fill(lane, n) + 1;
  for (std::uint64_t intent = 1; intent <= kIntents; ++intent) {
    REQUIRE(append(lane, payload_of(intent, kExchange - 18), FrameKind::exchange,
                   Room::reserved));
    lane.intent_closed(id_of(intent));
    lane.release(kExchange);
  }
}

TEST_CASE("intents that would not fit in the next segment again are refused") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  Lane& lane = journal.lane(0);
  std::uint64_t n = 0;
  while (open_intent(lane, n + 1, 4000)) ++n;
  CHECK(n * 4000 < 32 * kKiB);
  CHECK(append(lane, payload_of(1000)));
  lane.intent_closed(id_of(1));
  CHECK(open_intent(lane, n + 1, 4000));
}

TEST_CASE("a disk that is full before max_size makes the ring smaller, not the journal blind") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  MoodyStorage storage;
  {
    Journal journal(small_journal(dir.path()), 1, kKiB, storage);
    storage.full = true;
    for (std::uint64_t n = 1; n <= 2000; ++n)
      REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
    // Two, one made before the disk was full, and what is being tried at this moment.
    CHECK(journal.status().segments <= 6);
    CHECK(journal.status().overwritten_frames > 0);
  }
  CHECK(read_journal(dir.path()).damage.empty());
}

TEST_CASE("a full disk with a consumer behind refuses, and recovers when there is room") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  MoodyStorage storage;
  auto settings = small_journal(dir.path());
  settings.consumers = {"archiver"};
  Journal journal(settings, 1, kKiB, storage);
  storage.full = true;
  const std::uint64_t last = fill(journal.lane(0), 1);
  CHECK(last < 200);
  storage.full = false;
  CHECK(append_within_patience(journal.lane(0), payload_of(last + 1)));
  CHECK(read_journal(dir.path()).rows.size() == last + 1);
}

TEST_CASE("a disk that cannot zero a segment costs that segment and not the process") {
  select_pages(SegmentPages::lean);
  const TempDir dir;
  MoodyStorage storage;
  Journal journal(small_journal(dir.path(), 256 * kKiB), 1, kKiB, storage);
  storage.worn = true;
  for (std::uint64_t n = 1; n <= 1000; ++n)
    REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  CHECK(read_journal(dir.path()).rows.back().number() == 1000);
}

TEST_CASE("a real disk that fills up never ends the process") {
  IN_LEAN_AND_WARM();
  const SmallDisk disk(1024 * kKiB);
  {
    Journal journal(small_journal(disk.path()), 1, kKiB);
    for (std::uint64_t n = 1; n <= 5000; ++n)
      REQUIRE(append_within_patience(journal.lane(0), payload_of(n, 1000)));
  }
  const Contents contents = read_journal(disk.path());
  CHECK(contents.rows.back().number() == 5000);
  CHECK(contents.damage.empty());
}

TEST_CASE("where the file system cannot be mapped, frames are written by flush()") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  MoodyStorage storage;
  storage.mappable = false;
  const auto settings = small_journal(dir.path());
  {
    Journal journal(settings, 1, kKiB, storage);
    Lane& lane = journal.lane(0);
    REQUIRE(open_intent(lane, 1));
    CHECK(read_journal(dir.path()).rows.empty());
    REQUIRE(lane.flush().has_value());
    for (std::uint64_t n = 2; n <= 500; ++n) REQUIRE(append_within_patience(lane, payload_of(n, 1000)));
    REQUIRE(lane.flush().has_value());
    CHECK(read_journal(dir.path()).rows.size() == 499);
  }
  const Contents contents = read_journal(dir.path());
  REQUIRE(contents.rows.size() == 500);
  CHECK(contents.rows.back().number() == 1);
  CHECK(contents.damage.empty());
}

TEST_CASE("dead runs make room oldest first, and only when it is needed") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path(), 512 * kKiB);
  for (std::uint64_t run = 0; run < 2; ++run) {
    Journal journal(settings, 1, kKiB);
    for (std::uint64_t n = 1; n <= 100; ++n)
      REQUIRE(append_within_patience(journal.lane(0), payload_of(run * 1000 + n, 1000)));
  }
  const auto runs = list_runs(dir.path());
  REQUIRE(runs.size() == 2);
  Journal journal(settings, 1, kKiB);
  CHECK(list_runs(dir.path()).size() == 3);
  std::uint64_t n = 10'000;
  for (JournalStatus status; status.overwritten_frames == 0; status = journal.status()) {
    REQUIRE(append_within_patience(journal.lane(0), payload_of(++n, 1000)));
    const bool older = fs::exists(dir.path() / runs[0]);
    const bool younger = fs::exists(dir.path() / runs[1]);
    if (older && !younger) FAIL("the younger dead run went first");
  }
  CHECK(journal.status().removed_runs == 2);
  CHECK(list_runs(dir.path()).size() == 1);
}

TEST_CASE("a dead run goes when every consumer has passed it") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  auto settings = small_journal(dir.path());
  settings.consumers = {"archiver"};
  {
    Journal journal(settings, 1, kKiB);
    REQUIRE(append(journal.lane(0), payload_of(1)));
    REQUIRE(append(journal.lane(0), payload_of(2)));
  }
  const auto run = only_run(dir.path());
  Cursor cursor;
  cursor.lanes[0] = 1;
  REQUIRE(store_cursor(run, "archiver", cursor).has_value());
  { const Journal journal(settings, 1, kKiB); }
  CHECK(fs::exists(run));
  cursor.lanes[0] = 2;
  REQUIRE(store_cursor(run, "archiver", cursor).has_value());
  Journal journal(settings, 1, kKiB);
  std::uint64_t n = 10;
  while (fs::exists(run)) REQUIRE(append_within_patience(journal.lane(0), payload_of(++n, 1000)));
}

TEST_CASE("a second process gets its two segments beside one that filled the folder, which gives "
          "way") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path(), 1024 * kKiB);
  Journal first(settings, 1, kKiB);
  std::uint64_t n = 0;
  while (first.status().overwritten_segments == 0)
    REQUIRE(append_within_patience(first.lane(0), payload_of(++n, 1000)));
  Journal second(settings, 1, kKiB);
  for (std::uint64_t i = 1; i <= 100; ++i)
    REQUIRE(append_within_patience(second.lane(0), payload_of(i)));
  while (first.status().bytes_on_disk > 1024 * kKiB)
    REQUIRE(append_within_patience(first.lane(0), payload_of(++n, 1000)));
}

TEST_CASE("segments shrink so that every lane's two fit in half of max_size") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const Journal journal(small_journal(dir.path(), 4096 * kKiB, 4096 * kKiB), 4, kKiB);
  CHECK(fs::file_size(segments_of(journal.run()).at(0)) == 256 * kKiB);
}

TEST_CASE("bodies that do not fit in half a segment are refused at the start, with the keys") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  CHECK_THROWS_WITH(Journal(small_journal(dir.path()), 1, 2048 * kKiB),
                    ContainsSubstring("recorder.journal.segment") &&
                        ContainsSubstring("bodies.max"));
  CHECK_THROWS_WITH(Journal(small_journal(dir.path(), 1024 * kKiB, 4096 * kKiB), 4, 512 * kKiB),
                    ContainsSubstring("recorder.journal.max_size") &&
                        ContainsSubstring("cores.count"));
}

TEST_CASE("a folder that cannot be made is one clear line") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  dir.write("file", "in the way");
  CHECK_THROWS_WITH(Journal(small_journal(dir / "file" / "journal"), 1, kKiB),
                    ContainsSubstring("cannot start the journal in") &&
                        ContainsSubstring("Not a directory") &&
                        ContainsSubstring("recorder.journal.dir"));
  CHECK_THROWS_AS(Journal(small_journal(dir / "file"), 1, kKiB), StartupError);
}

// Root may write anywhere, so a child that is somebody else tries.
TEST_CASE("a read-only folder is one clear line") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  fs::permissions(dir.path(), fs::perms(0555));
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::string line = "started";
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(1);
    try {
      const Journal journal(small_journal(dir.path()), 1, kKiB);
    } catch (const StartupError& error) {
      line = error.what();
    }
    const bool written =
        ::write(told[1], line.data(), line.size()) == static_cast<ssize_t>(line.size());
    ::_exit(written ? 0 : 1);
  }
  ::close(told[1]);
  std::string line(1000, '\0');
  line.resize(static_cast<std::size_t>(std::max<ssize_t>(0, ::read(told[0], line.data(), 1000))));
  ::close(told[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK_THAT(line, ContainsSubstring("cannot start the journal in " + dir.path().string()) &&
                       ContainsSubstring("Permission denied") &&
                       ContainsSubstring("make it writable"));
  CHECK(line.find('\n') == std::string::npos);
  fs::permissions(dir.path(), fs::perms(0700));
}

TEST_CASE("a disk without space at the start is one clear line, and nothing is left on it") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  MoodyStorage storage;
  storage.full = true;
  CHECK_THROWS_WITH(Journal(small_journal(dir.path()), 1, kKiB, storage),
                    ContainsSubstring("No space left on device") &&
                        ContainsSubstring("recorder.journal.max_size"));
  CHECK(list_runs(dir.path()).empty());
}

}  // namespace
}  // namespace segue::recorder
