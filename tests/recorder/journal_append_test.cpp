// What is committed is read back: in order, from every lane, over segments, while it is written.

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <thread>

#include "recorder/journal/crc32c.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using segue::test::TempDir;

std::vector<std::uint64_t> from_one_to(std::uint64_t last) {
  std::vector<std::uint64_t> numbers(last);
  std::iota(numbers.begin(), numbers.end(), std::uint64_t{1});
  return numbers;
}

TEST_CASE("the instruction and the table give the CRC-32C of RFC 3720") {
  CHECK(crc32c(0, "123456789", 9) == 0xE3069283U);
  CHECK(crc32c_table(0, "123456789", 9) == 0xE3069283U);
  std::string bytes;
  for (std::size_t length = 0; length < 4000; length += 37) {
    bytes.resize(length, static_cast<char>(length));
    CHECK(crc32c(77, bytes.data(), length) == crc32c_table(77, bytes.data(), length));
  }
  CHECK(crc32c(crc32c(5, bytes.data(), 100), bytes.data() + 100, 900) ==
        crc32c(5, bytes.data(), 1000));
}

TEST_CASE("what one lane commits is read back in order, also while it is being written") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  auto reader = JournalReader::open(dir.path(), {});
  REQUIRE(reader.has_value());
  CHECK(drain(**reader).empty());
  for (std::uint64_t n = 1; n <= 10; ++n) {
    REQUIRE(append(journal.lane(0), payload_of(n, n)));
    const auto rows = drain(**reader);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].payload == payload_of(n, n));
    CHECK(rows[0].lane_sequence == n);
    CHECK(rows[0].kind == FrameKind::exchange);
  }
  CHECK(read_journal(dir.path()).numbers() == from_one_to(10));
  CHECK((*reader)->damage().empty());
}

TEST_CASE("frames go on over many segments without a gap") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  {
    Journal journal(small_journal(dir.path(), 64 * kKiB * kKiB), 1, kKiB);
    for (std::uint64_t n = 1; n <= 3000; ++n)
      REQUIRE(append(journal.lane(0), payload_of(n, n % 2000)));
    CHECK(journal.status().segments > 20);
    CHECK(journal.status().frames == 3000);
    CHECK(read_journal(dir.path()).numbers() == from_one_to(3000));
  }
  const Contents after = read_journal(dir.path());
  CHECK(after.numbers() == from_one_to(3000));
  CHECK(after.damage.empty());
}

TEST_CASE("a frame that was begun and not committed is never read") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  Lane& lane = journal.lane(0);
  REQUIRE(append(lane, payload_of(1)));
  auto discarded = lane.begin(FrameKind::exchange, 5000);
  REQUIRE(discarded.has_value());
  std::fill(discarded->begin(), discarded->end(), '\xFF');
  REQUIRE(append(lane, payload_of(2)));
  const Contents contents = read_journal(dir.path());
  CHECK(contents.numbers() == from_one_to(2));
  CHECK(contents.damage.empty());
}

TEST_CASE("a frame of half a segment fits and one byte more is refused") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  Lane& lane = journal.lane(0);
  for (std::uint64_t n = 1; n <= 5; ++n)
    REQUIRE(append(lane, payload_of(n, lane.max_payload() - 18)));
  const auto over = lane.begin(FrameKind::exchange, lane.max_payload() + 1);
  REQUIRE(over.has_error());
  CHECK(over.error().at_fault == Party::journal);
  CHECK(read_journal(dir.path()).numbers() == from_one_to(5));
}

TEST_CASE("a frame that one lane commits after it saw another's never comes before it") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 64 * kKiB * kKiB), 2, kKiB);
  constexpr std::uint64_t kTurns = 4000;
  std::atomic<std::uint64_t> committed{0};
  // Turn n belongs to lane n % 2, and is taken only after turn n - 1 was committed.
  const auto play = [&](unsigned lane) {
    for (std::uint64_t n = 1; n <= kTurns; ++n) {
      if (n % 2 != lane) continue;
      while (committed.load(std::memory_order_acquire) != n - 1) std::this_thread::yield();
      if (!append(journal.lane(lane), payload_of(n))) return;
      committed.store(n, std::memory_order_release);
    }
  };
  auto reader = JournalReader::open(dir.path(), {});
  REQUIRE(reader.has_value());
  std::vector<std::uint64_t> seen;
  {
    std::thread even(play, 0U);
    std::thread odd(play, 1U);
    while (seen.size() < kTurns)
      for (const Row& row : drain(**reader)) seen.push_back(row.number());
    even.join();
    odd.join();
  }
  CHECK(seen == from_one_to(kTurns));
  CHECK(read_journal(dir.path()).numbers() == from_one_to(kTurns));
}

TEST_CASE("the journal is readable by its owner alone") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  const auto folder = dir.path() / "made" / "journal";
  const Journal journal(small_journal(folder), 1, kKiB);
  const auto mode = [](const std::filesystem::path& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
  };
  CHECK(mode(folder) == 0700);
  CHECK(mode(journal.run()) == 0700);
  CHECK(mode(journal.run() / "0") == 0700);
  CHECK(mode(journal.run() / "cursors") == 0700);
  CHECK(mode(journal.run() / "lock") == 0600);
  CHECK(mode(segments_of(journal.run()).at(0)) == 0600);
}

TEST_CASE("intents are shown only when asked for") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  REQUIRE(open_intent(journal.lane(0), 1));
  REQUIRE(append(journal.lane(0), payload_of(1)));
  journal.lane(0).intent_closed(id_of(1));
  REQUIRE(append(journal.lane(0), payload_of(1), FrameKind::finish));
  CHECK(read_journal(dir.path()).rows.size() == 2);
  const Contents all = read_journal(dir.path(), {.intents = true});
  REQUIRE(all.rows.size() == 3);
  CHECK(all.rows[0].kind == FrameKind::intent);
  CHECK(all.rows[2].kind == FrameKind::finish);
}

}  // namespace
}  // namespace segue::recorder
