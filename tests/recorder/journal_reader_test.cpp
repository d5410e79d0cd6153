// Where a reader begins, and in which order it shows runs of several boots.

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "recorder/journal/run_folder.hpp"
#include "runtime/clock.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::TempDir;
namespace fs = std::filesystem;

constexpr std::int64_t kHourNs = 3'600'000'000'000;

std::uint64_t frames_in_a_segment() {
  return (64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) /
         frame_bytes(payload_of(1, 1000).size());
}

void append_all(Journal& journal, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t n = first; n <= last; ++n)
    REQUIRE(append(journal.lane(0), payload_of(n, 1000)));
}

// As if the segments of a run had been made in another boot, that many hours ago.
void move_to_boot(const fs::path& run, std::uint8_t boot, std::int64_t hours_ago) {
  for (const auto& path : segments_of(run)) {
    const std::string bytes = file_bytes(path);
    SegmentHeader header{};
    REQUIRE(bytes.size() >= sizeof header);
    std::memcpy(&header, bytes.data(), sizeof header);
    header.boot_id.fill(boot);
    header.created_unix_ns -= hours_ago * kHourNs;
    finish_header(header);
    overwrite(path, 0, {reinterpret_cast<const char*>(&header), sizeof header});
  }
}

TEST_CASE("a reader begins with the last segments that were written, when told so") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  const std::uint64_t each = frames_in_a_segment();
  append_all(journal, 1, 3 * each + 5);
  const auto rows = [&](unsigned last_segments) {
    return read_journal(dir.path(), {.last_segments = last_segments}).numbers();
  };
  CHECK(rows(1).front() == 3 * each + 1);
  CHECK(rows(1).size() == 5);
  CHECK(rows(2).front() == 2 * each + 1);
  CHECK(rows(9).front() == 1);
  CHECK(rows(0).size() == 3 * each + 5);
}

TEST_CASE("a segment that was prepared for nothing is none of those that a reader counts or skips") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const std::uint64_t each = frames_in_a_segment();
  std::int64_t before_the_last = 0;
  {
    Journal journal(small_journal(dir.path()), 1, kKiB);
    append_all(journal, 1, 3 * each);
    before_the_last = runtime::unix_micros_now() + 1;
    while (runtime::unix_micros_now() <= before_the_last) {
    }
    append_all(journal, 3 * each + 1, 4 * each);
  }
  std::vector<fs::path> written;
  for (const fs::path& path : segments_of(only_run(dir.path())))
    if (file_bytes(path).substr(sizeof(SegmentHeader), 4) != std::string(4, '\0'))
      written.push_back(path);
  REQUIRE(written.size() == 4);
  overwrite(written[2], sizeof(SegmentHeader), std::string(64 * kKiB - sizeof(SegmentHeader), '\0'));
  CHECK(read_journal(dir.path(), {.last_segments = 1}).numbers().front() == 3 * each + 1);
  CHECK(read_journal(dir.path(), {.last_segments = 2}).numbers().front() == each + 1);
  CHECK(read_journal(dir.path(), {.last_segments = 3}).numbers().front() == 1);
  CHECK(read_journal(dir.path(), {.since = before_the_last}).numbers().front() > each);
}

TEST_CASE("a reader skips segments that ended before the time it is told") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  const std::uint64_t each = frames_in_a_segment();
  append_all(journal, 1, 2 * each);
  // The clock of microseconds goes on.
  const std::int64_t before = runtime::unix_micros_now();
  while (runtime::unix_micros_now() < before + 2) {
  }
  const std::int64_t since = runtime::unix_micros_now();
  append_all(journal, 2 * each + 1, 4 * each);
  const auto numbers = read_journal(dir.path(), {.since = since}).numbers();
  REQUIRE(!numbers.empty());
  // What is younger is all there; of what is older at most one segment.
  CHECK(numbers.back() == 4 * each);
  CHECK(numbers.front() > each);
  CHECK(numbers.front() <= 2 * each + 1);
  CHECK(read_journal(dir.path(), {.since = 1}).numbers().size() == 4 * each);
  const std::int64_t later = runtime::unix_micros_now() + 1'000'000;
  CHECK(read_journal(dir.path(), {.since = later}).numbers().front() == 3 * each + 1);
}

TEST_CASE("runs of older boots come first, in order of their wall clock, whatever their names say") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  std::vector<fs::path> runs;
  for (std::uint64_t run = 0; run < 4; ++run) {
    Journal journal(settings, 1, kKiB);
    append_all(journal, 10 * run, 10 * run + 3);
    runs.push_back(journal.run());
  }
  // The names of the first two are in the wrong order: a clock that was set back.
  move_to_boot(runs[0], 0xAA, 2);
  move_to_boot(runs[1], 0xBB, 5);
  move_to_boot(runs[2], 0xAA, 2);
  Journal journal(settings, 1, kKiB);
  append_all(journal, 100, 101);
  CHECK(read_journal(dir.path()).numbers() ==
        std::vector<std::uint64_t>{10, 11, 12, 13, 0, 1, 2, 3, 20, 21, 22, 23, 30, 31, 32, 33,
                                   100, 101});
}

TEST_CASE("a run of an older boot that appears while the running one is followed is shown") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const TempDir aside;
  const auto settings = small_journal(dir.path());
  fs::path older;
  {
    Journal journal(settings, 1, kKiB);
    append_all(journal, 1, 3);
    older = journal.run();
  }
  move_to_boot(older, 0xAA, 1);
  fs::rename(older, aside / "run");
  Journal journal(settings, 1, kKiB);
  append_all(journal, 10, 11);
  auto reader = JournalReader::open(dir.path(), {});
  REQUIRE(reader.has_value());
  CHECK(drain(**reader).size() == 2);
  fs::rename(aside / "run", older);
  append_all(journal, 12, 12);
  std::vector<std::uint64_t> late;
  for (const Row& row : drain(**reader)) late.push_back(row.number());
  CHECK(late == std::vector<std::uint64_t>{1, 2, 3, 12});
}

// A file that is cut under its map is what a disk error looks like to the processor.
TEST_CASE("a disk that fails under a map ends the process, and its segment is named first") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(told[1], STDERR_FILENO);
    Journal journal(small_journal(dir.path()), 1, kKiB);
    if (::truncate(segments_of(journal.run()).at(0).c_str(), 0) != 0) ::_exit(1);
    append(journal.lane(0), payload_of(1));
    ::_exit(0);
  }
  ::close(told[1]);
  std::string said(1000, '\0');
  std::size_t filled = 0;
  for (ssize_t got = 1; got > 0 && filled < said.size(); filled += static_cast<std::size_t>(got)) {
    got = ::read(told[0], said.data() + filled, said.size() - filled);
    if (got < 0) break;
  }
  ::close(told[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(said.find("SIGBUS") != std::string::npos);
  CHECK(said.find("00000000000000000001.seg") != std::string::npos);
#ifndef SEGUE_SANITIZED  // a sanitizer's handler is the one that was there before
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGBUS);
#endif
}

}  // namespace
}  // namespace segue::recorder
