// Segments that are recycled without zeroing, and when the journal chooses that.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <thread>

#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_pages.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::TempDir;
namespace fs = std::filesystem;

constexpr std::uint64_t kRing = 256 * kKiB;  // four segments
constexpr std::size_t kFiller = 822;  // 75 frames fill a segment to the last byte
const std::uint64_t kPerSegment = (64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) /
                                  frame_bytes(payload_of(1, kFiller).size());

JournalSettings warm_ring(const fs::path& directory) {
  select_pages(SegmentPages::warm);
  return small_journal(directory, kRing);
}

void append_all(Lane& lane, std::uint64_t first, std::uint64_t last, std::size_t filler = kFiller) {
  for (std::uint64_t n = first; n <= last; ++n)
    while (!append(lane, payload_of(n, filler))) std::this_thread::yield();
}

// Frames of exchange n at lane_sequence n, without a hole, up to `last`.
void check_unbroken(const Contents& contents, std::uint64_t last) {
  CHECK(contents.damage.empty());
  REQUIRE(!contents.rows.empty());
  std::uint64_t n = contents.rows.front().lane_sequence;
  for (const Row& row : contents.rows) {
    if (row.lane_sequence != n || row.number() != n) FAIL("frame " << n);
    ++n;
  }
  CHECK(n == last + 1);
}

// Whether payloads stand behind `from`, where the segment's present life has none.
bool holds_former_frames(const std::string& bytes, std::uint64_t from) {
  return bytes.find(std::string("\x0A\x10\x01", 3), from) != std::string::npos;
}

std::uint64_t end_of_one(std::size_t filler) {
  return sizeof(SegmentHeader) + frame_bytes(payload_of(1, filler).size());
}

TEST_CASE("behind the one short frame of a new life the former life's frames are never read") {
  const TempDir dir;
  const auto settings = warm_ring(dir.path());
  const std::uint64_t last = 20 * kPerSegment + 1;
  {
    Journal journal(settings, 1, kKiB);
    CHECK(journal.status().pages == SegmentPages::warm);
    auto follower = JournalReader::open(dir.path(), {.last_segments = 1});
    REQUIRE(follower.has_value());
    append_all(journal.lane(0), 1, last - 1);
    append_all(journal.lane(0), last, last, 0);
    const auto segments = segments_of(journal.run());
    CHECK(std::any_of(segments.begin(), segments.end(), [](const fs::path& segment) {
      const std::string bytes = file_bytes(segment);  // empty: renamed since it was listed
      return bytes.size() > sizeof(SegmentHeader) &&
             bytes[sizeof(SegmentHeader)] == static_cast<char>(payload_of(1, 0).size()) &&
             holds_former_frames(bytes, end_of_one(0) + kEndMarkBytes);
    }));
    check_unbroken(read_journal(dir.path()), last);
    const auto rows = drain(**follower);
    REQUIRE(!rows.empty());
    CHECK(rows.back().number() == last);
  }
  // Sealed in order: what was left of the former life is gone with the rest of the segment.
  const auto tail = segments_of(only_run(dir.path())).back();
  CHECK(fs::file_size(tail) == end_of_one(0));
  check_unbroken(read_journal(dir.path()), last);
}

TEST_CASE("a process that is killed right after it entered a warm segment leaves no old frame") {
  const TempDir dir;
  const auto settings = warm_ring(dir.path());
  // The new life has no frame, one short frame, one and a frame begun.
  const std::uint64_t in_new_life = GENERATE(0U, 1U, 2U);
  const std::uint64_t full = 20 * kPerSegment;
  const std::uint64_t last = full + std::min<std::uint64_t>(in_new_life, 1);
  die_after(settings, [&](Lane& lane) {
    append_all(lane, 1, full);
    if (in_new_life > 0) append_all(lane, last, last, 0);
    if (in_new_life < 2) return;
    auto begun = lane.begin(FrameKind::exchange, 40);
    std::fill(begun->begin(), begun->end(), 'u');
  });
  check_unbroken(read_journal(dir.path()), last);
  const auto run = only_run(dir.path());
  {
    const Journal next(settings, 1, kKiB);
    CHECK(next.found_at_start().empty());
    CHECK(next.status().recovered_intents == 0);
    check_unbroken(read_journal(dir.path()), last);
  }
  check_unbroken(read_journal(dir.path()), last);
  if (in_new_life > 0) CHECK(fs::file_size(segments_of(run).back()) == end_of_one(0));
}

TEST_CASE("a lane that is given another lane's warm segments shows its own frames alone") {
  const TempDir dir;
  const auto settings = [&] {
    select_pages(SegmentPages::warm);
    return small_journal(dir.path(), 2 * kRing);
  }();
  constexpr std::uint64_t kOther = 1'000'000;
  const std::uint64_t last = 30 * kPerSegment;
  die_after(settings, 2, [&](Journal& journal) {
    // Lane 0 goes far, so that what it leaves behind has higher numbers than lane 1 ever has.
    append_all(journal.lane(0), 1, last);
    append_all(journal.lane(1), kOther + 1, kOther + 3 * kPerSegment + 1);
    while (!open_intent(journal.lane(1), 2 * kOther)) std::this_thread::yield();
  });
  const auto check = [&] {
    const Contents contents = read_journal(dir.path());
    CHECK(contents.damage.empty());
    REQUIRE(!contents.rows.empty());
    std::uint64_t next[2] = {0, 0};
    for (const Row& row : contents.rows) {
      if (row.lane_sequence < next[row.lane]) FAIL("order");  // intents are not shown
      next[row.lane] = row.lane_sequence + 1;
      const std::uint64_t n = row.lane == 0 ? row.lane_sequence : kOther + row.lane_sequence;
      if (row.number() != n && row.number() != 2 * kOther) FAIL("a frame of another life");
    }
    CHECK(next[0] == last + 1);
  };
  check();
  {
    const Journal restarted(settings, 1, kKiB);
    CHECK(restarted.found_at_start().empty());
    CHECK(restarted.status().recovered_intents == 1);
  }
  check();
}

TEST_CASE("a process that dies between a warm segment's new header and its new name leaves a "
          "segment without frames") {
  const TempDir dir;
  const auto settings = warm_ring(dir.path());
  const std::uint64_t last = 20 * kPerSegment + 5;
  die_after(settings, [&](Lane& lane) { append_all(lane, 1, last); });
  const auto run = only_run(dir.path());
  const auto sequences = list_segments(run, 0);
  const SegmentHeader header =
      make_segment_header(current_boot(), run.filename().string(), 0, sequences.back() + 1);
  std::string beginning(reinterpret_cast<const char*>(&header), sizeof header);
  beginning.append(kEndMarkBytes, '\0');
  overwrite(segment_path(run, 0, sequences.front()), 0, beginning);
  check_unbroken(read_journal(dir.path()), last);
  {
    const Journal next(settings, 1, kKiB);
    CHECK(next.found_at_start().empty());
  }
  check_unbroken(read_journal(dir.path()), last);
}

TEST_CASE("damage in a warm segment is told, and no old frame is taken for what follows it") {
  const TempDir dir;
  const auto settings = warm_ring(dir.path());
  const std::uint64_t full = 20 * kPerSegment;
  die_after(settings, [&](Lane& lane) { append_all(lane, 1, full + 3); });
  const auto run = only_run(dir.path());
  const auto written = [](const fs::path& segment) {
    return file_bytes(segment).at(sizeof(SegmentHeader)) != '\0';
  };
  auto segments = segments_of(run);
  while (!written(segments.back())) segments.pop_back();
  const std::uint64_t third =
      sizeof(SegmentHeader) + 2 * frame_bytes(payload_of(1, kFiller).size());
  overwrite(segments.back(), third + 40, "x!");
  const Journal next(settings, 1, kKiB);
  REQUIRE(next.found_at_start().size() == 1);
  CHECK(next.found_at_start()[0].offset == third);
  const Contents contents = read_journal(dir.path());
  CHECK(contents.rows.back().number() == full + 2);
}

TEST_CASE("where nothing is mapped, segments are zeroed whatever was asked for") {
  class Unmappable final : public Storage {
   public:
    bool maps(const fs::path&) const override { return false; }
  };
  const TempDir dir;
  const Unmappable storage;
  const Journal journal(warm_ring(dir.path()), 1, kKiB, storage);
  CHECK(journal.status().pages == SegmentPages::lean);
}

TEST_CASE("segments are kept warm where the journal is a small part of the memory") {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  constexpr std::uint64_t kSegment = 64 << 20;
  const auto choose = [&](std::uint64_t max_bytes, const MemoryBounds& bounds) {
    return choose_pages(SegmentPages::automatic, max_bytes, kSegment, bounds);
  };
  CHECK(choose(2 * kGiB, {16 * kGiB, 4 * kGiB}) == SegmentPages::warm);
  CHECK(choose(2 * kGiB, {15 * kGiB, 4 * kGiB}) == SegmentPages::lean);
  CHECK(choose(2 * kGiB, {64 * kGiB, kGiB}) == SegmentPages::lean);
  CHECK(choose(2 * kGiB, {}) == SegmentPages::lean);
  CHECK(choose_pages(SegmentPages::automatic, 2 * kGiB, 64 << 10, {64 * kGiB, 6 * kGiB}) ==
        SegmentPages::lean);
  CHECK(choose_pages(SegmentPages::lean, kGiB, kSegment, {64 * kGiB, 6 * kGiB}) ==
        SegmentPages::lean);
}

TEST_CASE("the memory of the process is the machine's or its tightest control group's") {
  const TempDir root;
  CHECK(memory_bounds(root.path()).bytes == 0);
  root.write("proc/meminfo", "MemTotal:       16000000 kB\nMemFree:  1 kB\n");
  root.write("proc/sys/vm/dirty_ratio", "20\n");
  root.write("proc/sys/vm/dirty_background_ratio", "10\n");
  constexpr std::uint64_t kAll = std::uint64_t{16'000'000} * 1024;
  CHECK(memory_bounds(root.path()).bytes == kAll);
  CHECK(memory_bounds(root.path()).background_dirty == kAll / 10);

  SECTION("version 2: each group on the path counts") {
    root.write("proc/self/cgroup", "0::/a/b\n");
    root.write("sys/fs/cgroup/a/b/memory.max", "max\n");
    root.write("sys/fs/cgroup/a/memory.max", "4000000000\n");
    CHECK(memory_bounds(root.path()).bytes == 4'000'000'000);
    CHECK(memory_bounds(root.path()).background_dirty == 400'000'000);
  }
  SECTION("version 1: the memory controller's path") {
    root.write("proc/self/cgroup", "5:devices:/d\n4:cpu,memory:/m\n0::/\n");
    root.write("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "3000000000\n");
    root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    CHECK(memory_bounds(root.path()).bytes == 3'000'000'000);
  }
  SECTION("a container that sees its host's path but its own files") {
    root.write("proc/self/cgroup", "4:memory:/docker/0123\n0::/../../x\n");
    root.write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2000000000\n");
    CHECK(memory_bounds(root.path()).bytes == 2'000'000'000);
  }
  SECTION("thresholds in bytes come before those in percent, the background before the other") {
    root.write("proc/sys/vm/dirty_background_bytes", "500000000\n");
    CHECK(memory_bounds(root.path()).background_dirty == 500'000'000);
    root.write("proc/sys/vm/dirty_bytes", "400000000\n");
    CHECK(memory_bounds(root.path()).background_dirty == 200'000'000);
  }
}

}  // namespace
}  // namespace segue::recorder
