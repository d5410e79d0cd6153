// An archive in S3, on a real server, is looked after as one in a folder is.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/patience.hpp"
#include "tests/warehouse/upkeep/in_s3.hpp"
#include "tests/warehouse/upkeep/killed.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting.hpp"
#include "warehouse/upkeep/retention.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

constexpr std::int64_t kNow = InS3::kNow;
const Day kDay = *parse_day("2026-11-10");
const Chain kChain{"shop", "0"};
using Counts = std::vector<std::uint64_t>;

Day day(int number) { return kDay + std::chrono::days(number); }

// Three days of two files each.
void fill(MadeArchive& made) {
  for (int i = 0; i < 6; ++i) {
    const auto id = static_cast<std::uint64_t>(i) * 3 + 1;
    made.add(kChain, day(i / 2), {{.id = id, .account = "ann"}, {.id = id + 1}, {.id = id + 2}});
  }
}

TEST_CASE("an archive in S3 is compacted, verified, cleared of an account and of old days") {
  InS3 made(fill);
  CHECK(made.counts() == Counts{18, 18, 6});
  CHECK(made.findings() == 0);
  {
    MadeBench bench(made.store());
    CHECK(Compactor(made.archive(), *bench, {.before = day(2)}, kNow).run().days.size() == 2);
  }
  CHECK(made.counts() == Counts{18, 18, 6});
  CHECK(made.findings() == 0);
  {
    MadeBench bench(made.store());
    CHECK(Forgetting(made.archive(), *bench, {"ann"}).run().days.size() == 3);
  }
  CHECK(made.counts() == Counts{12, 12, 0});
  CHECK(made.findings() == 0);
  {
    CHECK(Retention(made.archive(), day(1)).run().days == 1);
  }
  CHECK(made.counts() == Counts{8, 8, 0});
  CHECK(made.findings() == 0);
}

constexpr int kDays = 3;
const Chain kChains[] = {{"shop", "0"}, {"shop", "1"}};
constexpr std::uint64_t kRows = 60;  // of a file
constexpr std::uint64_t kAll = kDays * 3 * 2 * kRows;

// Three claims a day in two chains; every tenth row is Ann's.
void fill_two_chains(MadeArchive& made) {
  std::uint64_t id = 0;
  for (int number = 0; number < kDays; ++number)
    for (int claim = 0; claim < 3; ++claim)
      for (const Chain& chain : kChains) {
        std::vector<MadeRow> rows(kRows);
        for (MadeRow& row : rows) {
          row.id = ++id;
          row.account = id % 10 == 0 ? "ann" : "bob";
        }
        made.add(chain, day(number), rows);
      }
}

// The same, and a FINISH of each of Ann's exchanges in the last file: nothing but the id says whose.
void fill_with_finishes(MadeArchive& made) {
  fill_two_chains(made);
  std::vector<MadeRow> rows;
  for (std::uint64_t id = 10; id <= kAll; id += 10)
    rows.push_back({.id = kAll + id, .parent = id, .kind = v1::KIND_FINISH});
  made.add(kChains[1], day(kDays - 1), rows);
}

TEST_CASE("in S3, compaction that is killed at any moment: who reads sees every row once") {
  for (unsigned round = 0; round < rounds(1); ++round) {
    InS3 made(fill_two_chains);
    const auto read = [&] { CHECK(made.counts() == Counts{kAll, kAll, kAll / 10}); };
    Killed(made.store(), made.opening()).run("compact", text_of(day(kDays - 1)), 3, read, read);
    CHECK(made.archive().watermark() == day(kDays - 1));
    CHECK(made.findings() == 0);
  }
}

TEST_CASE("in S3, forgetting that is killed at any moment ends with the next run, and harms no other row") {
  for (unsigned round = 0; round < rounds(1); ++round) {
    InS3 made(fill_with_finishes);
    Killed victims(made.store(), made.opening());
    victims.run("compact", text_of(day(1)), 0, [] {}, [] {});
    const auto read = [&] {
      const auto counts = made.counts();
      CHECK(counts[0] - counts[2] >= kAll - kAll / 10);
    };
    victims.run("forget", "ann", 3, read, read);
    CHECK(made.counts() == Counts{kAll - kAll / 10, kAll - kAll / 10, 0});
    CHECK(made.findings() == 0);
  }
}

TEST_CASE("in S3, retention that is killed at any moment leaves no gap, and ends with the next run") {
  for (unsigned round = 0; round < rounds(1); ++round) {
    InS3 made(fill_two_chains);
    Killed victims(made.store(), made.opening());
    victims.run("compact", text_of(day(kDays)), 0, [] {}, [] {});
    victims.run("retention", text_of(day(2)), 3, [] {}, [&] { CHECK(made.findings() == 0); });
    CHECK(made.counts() == Counts{kAll / 3, kAll / 3, kAll / 30});
    CHECK(made.archive().genesis(kChains[0]) == 6 * kRows + 1);
  }
}

}  // namespace
}  // namespace segue::warehouse
