// Named after the damage: what a reader shows of segments that are not as they were written.

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <numeric>
#include <random>

#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::TempDir;
namespace fs = std::filesystem;

constexpr std::size_t kFiller = 100;
const std::size_t kFrame = frame_bytes(payload_of(1, kFiller).size());

std::uint64_t offset_of(std::uint64_t frame) { return sizeof(SegmentHeader) + (frame - 1) * kFrame; }

std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all(last - first + 1);
  std::iota(all.begin(), all.end(), first);
  return all;
}

// A finished run with the exchanges 1 to `last`, in as many segments as they need.
fs::path finished_run(const fs::path& directory, std::uint64_t last) {
  fs::path run;
  {
    Journal journal(small_journal(directory), 1, kKiB);
    for (std::uint64_t n = 1; n <= last; ++n)
      REQUIRE(append(journal.lane(0), payload_of(n, kFiller)));
    run = journal.run();
  }
  return run;
}

TEST_CASE("a torn last frame is cut, earlier frames survive") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segment = segments_of(finished_run(dir.path(), 10)).at(0);
  const std::uint64_t end = offset_of(10) + sizeof(FrameHeader) + payload_of(10, kFiller).size();
  for (std::uint64_t size = end - 1; size > offset_of(10); --size) {
    fs::resize_file(segment, size);
    const Contents contents = read_journal(dir.path());
    CHECK(contents.numbers() == numbers(1, 9));
    // With three bytes or fewer of its length word nothing says that there was a frame.
    CHECK(contents.damage.size() == (size - offset_of(10) >= 4 ? 1 : 0));
  }
}

TEST_CASE("a flipped bit anywhere in a frame ends its segment before it and is told") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segment = segments_of(finished_run(dir.path(), 5)).at(0);
  const std::string whole = file_bytes(segment);
  const std::size_t meaningful = sizeof(FrameHeader) + payload_of(3, kFiller).size();
  for (std::size_t at = 0; at < meaningful; ++at) {
    const auto flipped = static_cast<char>(whole[offset_of(3) + at] ^ (1 << (at % 8)));
    overwrite(segment, offset_of(3) + at, {&flipped, 1});
    const Contents contents = read_journal(dir.path());
    CHECK(contents.numbers() == numbers(1, 2));
    REQUIRE(contents.damage.size() == 1);
    CHECK(contents.damage[0].segment == segment);
    CHECK(contents.damage[0].offset == offset_of(3));
    overwrite(segment, offset_of(3) + at, {&whole[offset_of(3) + at], 1});
  }
  CHECK(read_journal(dir.path()).numbers() == numbers(1, 5));
}

TEST_CASE("damage in one segment costs the rest of that segment and not the next ones") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto run = finished_run(dir.path(), 1500);
  const auto segments = segments_of(run);
  REQUIRE(segments.size() >= 3);
  overwrite(segments[1], offset_of(4) + 40, "x!");
  const Contents contents = read_journal(dir.path());
  const std::uint64_t a_segment = (64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) / kFrame;
  auto expected = numbers(1, a_segment + 3);
  const auto rest = numbers(2 * a_segment + 1, 1500);
  expected.insert(expected.end(), rest.begin(), rest.end());
  CHECK(contents.numbers() == expected);
  REQUIRE(contents.damage.size() == 1);
  CHECK(contents.damage[0].what == "crc differs");
  CHECK(contents.damage[0].lost == a_segment - 3);
}

TEST_CASE("a length word that became zero is told once the next segment shows what is missing") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segments = segments_of(finished_run(dir.path(), 1500));
  overwrite(segments[0], offset_of(7), std::string_view("\0\0\0\0", 4));
  const Contents contents = read_journal(dir.path());
  const std::uint64_t a_segment = (64 * kKiB - sizeof(SegmentHeader) - kEndMarkBytes) / kFrame;
  REQUIRE(contents.damage.size() == 1);
  CHECK(contents.damage[0].lost == a_segment - 6);
  CHECK(contents.rows.size() == 1500 - (a_segment - 6));
}

TEST_CASE("a segment whose header is damaged is left out and told") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segments = segments_of(finished_run(dir.path(), 1500));
  overwrite(segments[1], 90, "damage");
  const Contents contents = read_journal(dir.path());
  REQUIRE(contents.damage.size() == 1);
  CHECK(contents.damage[0].segment == segments[1]);
  CHECK(contents.damage[0].what == "crc of the segment header differs");
  CHECK(contents.damage[0].lost > 0);
  CHECK(contents.rows.size() + contents.damage[0].lost == 1500);
}

TEST_CASE("a segment that is missing from the middle is a counted gap") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segments = segments_of(finished_run(dir.path(), 1500));
  fs::remove(segments[1]);
  const Contents contents = read_journal(dir.path());
  REQUIRE(contents.damage.size() == 1);
  CHECK(contents.rows.size() + contents.damage[0].lost == 1500);
}

TEST_CASE("a frame of a segment's former life never validates") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segments = segments_of(finished_run(dir.path(), 1500));
  const std::string former = file_bytes(segments[0]);
  const std::string later = file_bytes(segments[1]);
  // As if the zeros between the two lives had been lost: the new header over the old frames.
  const std::string mixed = later.substr(0, sizeof(SegmentHeader)) +
                            former.substr(sizeof(SegmentHeader));
  const MemorySource source(mixed);
  const auto header = read_header(source);
  REQUIRE(header.has_value());
  CHECK(header_fault(*header) == nullptr);
  SegmentScanner scanner(source, *header);
  CHECK(scanner.next().outcome == SegmentScanner::Outcome::damaged);
  CHECK(scanner.resume_after(0).outcome == SegmentScanner::Outcome::end);
}

TEST_CASE("a segment of another name is one that is being recycled: not read, not damage") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto run = finished_run(dir.path(), 10);
  fs::rename(segments_of(run)[0], segment_path(run, 0, 7));
  const Contents contents = read_journal(dir.path());
  CHECK(contents.rows.empty());
  CHECK(contents.damage.empty());
}

TEST_CASE("a folder that is no journal is refused") {
  const TempDir dir;
  const auto missing = JournalReader::open(dir / "nowhere", {});
  REQUIRE(missing.has_error());
  CHECK(missing.error().at_fault == Party::journal);
  dir.write("some.txt", "text");
  CHECK(JournalReader::open(dir.path(), {}).has_error());
}

TEST_CASE("a journal in which nothing was recorded yet is an empty one") {
  const TempDir dir;
  dir.write("account.key", "of the first gateway that was started here");
  CHECK(read_journal(dir.path()).rows.empty());
}

// Whatever happens to a segment's bytes, what is read is a beginning of what was written.
TEST_CASE("of a segment cut or changed at random a beginning is read, and nothing else") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto segment = segments_of(finished_run(dir.path(), 200)).at(0);
  const std::string whole = file_bytes(segment);
  std::vector<std::string> frames;
  for (std::uint64_t n = 1; n <= 200; ++n) frames.push_back(payload_of(n, kFiller));
  std::mt19937 random(20261121);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = whole;
    for (std::size_t changes = below(4); changes > 0; --changes) {
      const std::size_t at = sizeof(SegmentHeader) + below(bytes.size() - sizeof(SegmentHeader));
      switch (below(3)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.replace(at, std::min<std::size_t>(8, bytes.size() - at), 8, '\0');
          break;
        default: {
          const std::size_t from = below(bytes.size() - 64);
          bytes.replace(at, 64, bytes.substr(from, 64));
        }
      }
    }
    if (below(2) == 0) bytes.resize(sizeof(SegmentHeader) + below(bytes.size()));
    const MemorySource source(bytes);
    const auto header = read_header(source);
    REQUIRE(header.has_value());
    SegmentScanner scanner(source, *header);
    std::size_t read = 0;
    auto step = scanner.next();
    for (; step.outcome == SegmentScanner::Outcome::frame; step = scanner.next(), ++read) {
      if (read >= frames.size() || step.payload != frames[read]) FAIL("not what was written");
    }
  }
}

}  // namespace
}  // namespace segue::recorder
