// Upkeep that is killed at random moments while somebody reads.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/patience.hpp"
#include "tests/warehouse/upkeep/killed.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

const Day kDay = *parse_day("2026-11-10");
constexpr int kDays = 4;
constexpr std::int64_t kNow = 1'800'000'000'000'000;
const Chain kChains[] = {{"shop", "0"}, {"shop", "1"}};

std::vector<std::string> opening(MadeArchive& made) {
  return {"archive:" + made.folder().string()};
}

std::string day_text(int number) { return text_of(kDay + std::chrono::days(number)); }

// Several claims a day in two chains; every tenth row is Ann's.
std::uint64_t fill(MadeArchive& made) {
  std::uint64_t id = 0;
  for (int day = 0; day < kDays; ++day)
    for (int claim = 0; claim < 4; ++claim)
      for (const Chain& chain : kChains) {
        std::vector<MadeRow> rows(200);
        for (MadeRow& row : rows) {
          row.id = ++id;
          row.account = id % 10 == 0 ? "ann" : "bob";
          if (id % 7 == 0) row.status = 500;
        }
        made.add(chain, kDay + std::chrono::days(day), rows);
      }
  return id;
}

// A FINISH of each of Ann's exchanges, in the last file: nothing but the id says whose it is.
void add_finishes(MadeArchive& made, std::uint64_t all) {
  std::vector<MadeRow> rows;
  for (std::uint64_t id = 10; id <= all; id += 10)
    rows.push_back({.id = all + id, .parent = id, .kind = v1::KIND_FINISH});
  made.add(kChains[1], kDay + std::chrono::days(kDays - 1), rows);
}

std::size_t findings(MadeArchive& made) {
  MadeBench bench(made.store());
  const auto report =
      Verification(made.archive(), *bench, {.rows = VerificationOptions::Rows::each}, kNow).run();
  for (const Finding& finding : report.findings)
    UNSCOPED_INFO(name_of(finding.kind) << " " << finding.where << ": " << finding.what);
  return report.findings.size();
}

const char* const kAll = "SELECT count(*), count(DISTINCT id) FROM {}";

TEST_CASE("compaction that is killed at any moment: who reads sees every row once all the while") {
  for (unsigned round = 0; round < rounds(2); ++round) {
    MadeArchive made;
    const std::uint64_t all = fill(made);
    const std::string expected = fmt::format("|{}|{}\n", all, all);
    const auto read = [&] { CHECK(made.ask(kAll) == expected); };
    Killed(made.store(), opening(made)).run("compact", day_text(kDays - 1), 4, read, read);
    CHECK(made.archive().watermark() == kDay + std::chrono::days(kDays - 1));
    CHECK(findings(made) == 0);
  }
}

TEST_CASE("forgetting that is killed at any moment ends with the next run, and harms no other row") {
  for (unsigned round = 0; round < rounds(2); ++round) {
    MadeArchive made;
    const std::uint64_t all = fill(made);
    add_finishes(made, all);
    Killed victims(made.store(), opening(made));
    victims.run("compact", day_text(2), 0, [] {}, [] {});
    const std::uint64_t others = all - all / 10;
    const auto read = [&] {
      CHECK(made.ask("SELECT count(*), count(DISTINCT id) FROM {} WHERE account_id = 'bob'") ==
            fmt::format("|{}|{}\n", others, others));
    };
    victims.run("forget", "ann", 4, read, read);
    CHECK(made.ask(kAll) == fmt::format("|{}|{}\n", others, others));
    CHECK(findings(made) == 0);
  }
}

TEST_CASE("retention that is killed at any moment leaves no gap, and ends with the next run") {
  for (unsigned round = 0; round < rounds(2); ++round) {
    MadeArchive made;
    const std::uint64_t all = fill(made);
    Killed victims(made.store(), opening(made));
    victims.run("compact", day_text(kDays), 0, [] {}, [] {});
    victims.run("retention", day_text(2), 4, [] {}, [&] { CHECK(findings(made) == 0); });
    CHECK(made.ask(kAll) == fmt::format("|{}|{}\n", all / 2, all / 2));
    CHECK(made.archive().genesis(kChains[0]) == 1601);
  }
}

}  // namespace
}  // namespace segue::warehouse
