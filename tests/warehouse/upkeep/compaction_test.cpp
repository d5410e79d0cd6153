#include "warehouse/upkeep/compaction.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/warehouse/archive/hooked_store.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/archive/placement.hpp"
#include "warehouse/upkeep/forgetting.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

using Catch::Matchers::ContainsSubstring;

const Day kDay = *parse_day("2026-11-10");
const Day kNext = kDay + std::chrono::days(1);
const Day kThird = kDay + std::chrono::days(2);
const Chain kChain{"shop", "0"};
const Chain kOther{"shop", "1"};
constexpr std::int64_t kNow = 1'800'000'000'000'000;
constexpr std::int64_t kHour = 3'600'000'000;

CompactionReport compact(MadeArchive& made, Day before, std::int64_t now = kNow,
                         std::uint64_t target_bytes = 512 << 20) {
  MadeBench bench(made.store());
  Compactor compactor(made.archive(), *bench, {.before = before, .target_bytes = target_bytes},
                      now);
  return compactor.run();
}

std::vector<MadeRow> rows(std::uint64_t from, std::uint64_t count) {
  std::vector<MadeRow> made(count);
  for (std::uint64_t i = 0; i < count; ++i) made[i].id = from + i;
  return made;
}

const char* const kAll =
    "SELECT count(*), count(DISTINCT id), count(DISTINCT (source, \"partition\", \"offset\")) FROM "
    "{}";

TEST_CASE("a compacted day has every row once, failures behind the others, what FINISH says last") {
  MadeArchive made;
  auto first = rows(1, 40);
  first[3].status = 503;
  first[7].outcome = v1::OUTCOME_UPSTREAM_RESET;
  first[9].id = 0;
  made.add(kChain, kDay, first);
  made.add(kOther, kDay, rows(1001, 30));
  made.add(kChain, kDay, {{.id = 90, .parent = 5, .kind = v1::KIND_FINISH}, {.id = 91}});
  const std::string before = made.ask(kAll);
  const std::string values = "SELECT * FROM {} ORDER BY source, \"partition\", \"offset\"";
  const std::string all = made.ask(values);

  const CompactionReport report = compact(made, kNext);
  REQUIRE(report.days.size() == 1);
  CHECK(report.blocked.empty());
  CHECK(report.days[0].inputs == 3);
  CHECK(report.days[0].rows == 72);
  CHECK(report.days[0].outputs == 1);
  CHECK(made.archive().watermark() == kNext);
  CHECK(made.archive().files().size() == 1);
  CHECK(made.archive().files()[0].key.starts_with("compact/dt=2026-11-10/00001~"));
  CHECK(made.ask(kAll) == before);
  CHECK(made.ask(values) == all);
  CHECK(made.ask("SELECT file_row_number, kind, status, outcome FROM (SELECT *, file_row_number "
                 "FROM read_parquet('" +
                 made.path_of(made.archive().files()[0].key).string() +
                 "', file_row_number = true)) WHERE file_row_number >= 69 ORDER BY 1") ==
        "|69|PRIMARY|503|COMPLETED\n|70|PRIMARY|200|UPSTREAM_RESET\n|71|FINISH|200|COMPLETED\n");
}

TEST_CASE("what a FINISH says stands in the row of its exchange, also when it came a day later") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  made.add(kChain, kDay,
           {{.id = 50, .outcome = v1::OUTCOME_CLIENT_ABORTED, .parent = 1, .kind = v1::KIND_FINISH}});
  made.add(kChain, kNext,
           {{.id = 51, .outcome = v1::OUTCOME_UPSTREAM_RESET, .parent = 2, .kind = v1::KIND_FINISH}});
  compact(made, kNext);
  CHECK(made.ask("SELECT outcome FROM {} WHERE kind = 'PRIMARY' ORDER BY id") ==
        "|CLIENT_ABORTED\n|UPSTREAM_RESET\n|COMPLETED\n");
  CHECK(made.ask("SELECT count(*) FROM {} WHERE kind = 'FINISH'") == "|2\n");
}

TEST_CASE("what a publisher sent twice is a row once, also when it came a day before") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 5));
  auto again = rows(4, 4);  // 4 and 5 were there already, 6 and 7 were not
  for (MadeRow& row : again) row.redelivered = true;
  again[2].id = 80'006;  // seconds of the day: an exchange of this day
  made.add(kChain, kDay, again);
  auto next_day = rows(1, 2);
  next_day.push_back({.id = 30, .redelivered = true});
  next_day.push_back({.id = 30, .redelivered = true});
  next_day.push_back({.id = 31});
  for (MadeRow& row : next_day) row.redelivered = row.id != 31;
  // The exchanges are those of the day before; MadeArchive dates them by the day of the claim.
  made.add(kOther, kDay, {{.id = 31}});
  made.add(kChain, kNext, next_day);
  compact(made, kNext);
  const auto first = compaction_of(made.store(), kDay);
  REQUIRE(first);
  CHECK(first->removals == std::vector<Removal>{{"shop", "0", 6}, {"shop", "0", 7}});
  compact(made, kThird);
  const auto second = compaction_of(made.store(), kNext);
  REQUIRE(second);
  // 1 and 2 are of kNext by their time, so the day before is not looked at; of two 30 one stays.
  CHECK(second->removals == std::vector<Removal>{{"shop", "0", 13}});
  CHECK(second->input_rows() == second->output_rows() + second->removals.size());
}

TEST_CASE("a row that was sent again after midnight is looked up in the day before") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  compact(made, kNext);
  auto again = rows(2, 2);
  for (MadeRow& row : again) row.redelivered = true;
  // Claimed today, though the exchanges are of the day before.
  made.add_placed(kChain, kDay, kNext, again);
  const auto report = compact(made, kThird);
  REQUIRE(report.days.size() == 1);
  CHECK(report.days[0].removed == 2);
  CHECK(made.ask(kAll) == "|3|3|3\n");
  CHECK(compaction_of(made.store(), kNext)->outputs.size() == 1);
}

TEST_CASE("a day waits for a claim without .done, and the days before it do not") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  const Claim open = made.add(kChain, kNext, rows(4, 3), MadeArchive::End::open);
  made.add(kOther, kNext, rows(100, 3));
  const auto report = compact(made, kThird);
  CHECK(report.watermark == kNext);
  CHECK_THAT(report.blocked, ContainsSubstring(open.key()));
  CHECK_THAT(report.blocked, ContainsSubstring("seguectl archive --once"));
  CHECK(made.archive().watermark() == kNext);
  // Both days are closed by now: the claim's file goes behind them, and does not hold them up.
  CHECK(place(made.archive(), open) == kThird);
  CHECK(compact(made, kThird).blocked.empty());
  CHECK(made.archive().watermark() == kThird);
}

TEST_CASE("a dry run says the same and changes nothing") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  made.add(kChain, kThird, rows(4, 3));
  const std::string before = made.everything();
  MadeBench bench(made.store());
  Compactor compactor(made.archive(), *bench, {.before = kThird}, kNow);
  const auto plan = compactor.plan();
  CHECK(made.everything() == before);
  REQUIRE(plan.days.size() == 1);
  CHECK(plan.days[0].rows == 3);
  CHECK(plan.watermark == kThird);
  const auto report = compactor.run();
  CHECK(report.days.size() == 1);
  CHECK(report.watermark == kThird);
  CHECK(made.archive().watermark() == kThird);
  CHECK(made.ask(kAll) == "|6|6|6\n");
}

TEST_CASE("raw files go when their grace period is over, and not before") {
  MadeArchive made;
  const std::string raw = made.file_of(made.add(kChain, kDay, rows(1, 3)));
  compact(made, kNext);
  CHECK(compact(made, kNext, kNow + 23 * kHour).raw_files == 0);
  CHECK(made.store().size(raw));
  CHECK(compact(made, kNext, kNow + 25 * kHour).raw_files == 1);
  CHECK_FALSE(made.store().size(raw));
  CHECK(compact(made, kNext, kNow + 26 * kHour).raw_files == 0);
  CHECK(made.ask(kAll) == "|3|3|3\n");
}

TEST_CASE("a day of many inputs becomes files of about the size that is asked for") {
  MadeArchive made;
  for (std::uint64_t i = 0; i < 12; ++i) made.add(kChain, kDay, rows(1 + i * 100, 100));
  const auto bytes = made.archive().files()[0].bytes;
  const auto report = compact(made, kNext, kNow, bytes * 4 + bytes / 2);
  CHECK(report.days[0].outputs == 3);
  CHECK(made.ask(kAll) == "|1200|1200|1200\n");
  CHECK(compaction_of(made.store(), kDay)->inputs.size() == 12);
}

TEST_CASE("files that an earlier attempt left are not read twice") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  made.store().create_from(compact_key(kDay, 7, "0123456789abcdef"),
                           made.path_of(made.archive().files()[0].key));
  CHECK(made.ask(kAll) == "|3|3|3\n");
  compact(made, kNext);
  CHECK(made.ask(kAll) == "|3|3|3\n");
}

TEST_CASE("a file that is gone, cut or another's stops its day, and nothing is published") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  const std::string bad = made.file_of(made.add(kChain, kNext, rows(4, 300)));
  const std::string other = made.file_of(made.add(kOther, kNext, rows(1000, 3)));
  const std::string whole = *made.store().read(bad);
  const auto expect_refusal = [&](const std::string& word) {
    try {
      compact(made, kThird);
      FAIL("it went through");
    } catch (const StorageError& error) {
      CHECK_THAT(error.what(), ContainsSubstring(word));
      CHECK_THAT(error.what(), ContainsSubstring("verify"));
    }
    CHECK(made.archive().watermark() == kNext);
    CHECK(made.store().folders(compact_folder()) == std::vector<std::string>{"dt=2026-11-10"});
  };
  made.store().remove(bad);
  expect_refusal("is missing");
  made.store().replace(bad, whole.substr(0, whole.size() / 2));
  expect_refusal("bytes");
  made.store().replace(bad, whole);
  compact(made, kThird);
  CHECK(made.ask(kAll) == "|306|306|306\n");
}

TEST_CASE("octets that changed within a file do not come through as rows") {
  MadeArchive made;
  const std::string key = made.file_of(made.add(kChain, kDay, rows(1, 3)));
  made.store().replace(key, std::string(made.store().read(key)->size(), 'x'));
  CHECK_THROWS_AS(compact(made, kNext), StorageError);
  CHECK_FALSE(made.archive().watermark());
}

TEST_CASE("who was killed between the two watermarks leaves a day that is compacted for everybody") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  {
    HookedStore store(made.folder());
    store.before_making = [](std::string_view key) {
      if (key == watermark_key()) throw StorageError("killed");
    };
    Archive archive = Archive::open(store);
    MadeBench bench(store);
    CHECK_THROWS_AS(Compactor(archive, *bench, {.before = kNext}, kNow).run(), StorageError);
  }
  CHECK_FALSE(made.archive().watermark());
  CHECK_THAT(made.store().read(watermark_table_key()).value_or(""), ContainsSubstring("2026-11-11"));
  MadeBench bench(made.store());
  Forgetting(made.archive(), *bench, {"nobody"}).run();
  CHECK(made.archive().watermark() == kNext);
  REQUIRE(made.archive().files().size() == 1);
  CHECK(made.archive().files()[0].key.starts_with("compact/"));
  CHECK(made.ask(kAll) == "|3|3|3\n");
}

TEST_CASE("a claim that a listing does not show yet is compacted by a later run") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  const Claim late = made.add(kChain, kNext, rows(4, 3));
  made.add(kChain, kNext, rows(7, 3));
  {
    HookedStore store(made.folder());
    store.hidden = [&](std::string_view key) { return key.starts_with(late.key()); };
    Archive archive = Archive::open(store);
    MadeBench bench(store);
    Compactor(archive, *bench, {.before = kNext}, kNow).run();
  }
  CHECK(made.archive().watermark() == kNext);
  compact(made, kThird);
  CHECK(made.ask(kAll) == "|9|9|9\n");
}

TEST_CASE("a clock that is years ahead closes no day behind the newest claim, and none that is empty") {
  MadeArchive made;
  made.add(kChain, *parse_day("1970-01-02"), rows(1, 3));
  made.add(kChain, kDay, rows(4, 3));
  const Day ahead = *parse_day("2090-01-01");
  CHECK(compact(made, ahead).watermark == kNext);
  CHECK(first_open_day(made.archive(), kDay) == kNext);
  std::size_t closed = 0;
  made.store().list(closing_folder(), "", [&](const StoredObject&) { ++closed; });
  CHECK(closed == 2);
  CHECK(compact(made, ahead).watermark == kNext);
  CHECK(made.ask(kAll) == "|6|6|6\n");
}

TEST_CASE("a claim that is gone stops compaction by its name") {
  MadeArchive made;
  const Claim gone = made.add(kChain, kDay, rows(1, 3));
  made.add(kChain, kNext, rows(4, 3));
  made.store().remove(gone.key());
  try {
    compact(made, kThird);
    FAIL("it went through");
  } catch (const StorageError& error) {
    CHECK_THAT(error.what(), ContainsSubstring(gone.key() + " is missing"));
  }
  CHECK_FALSE(made.archive().watermark());
}

TEST_CASE("who looks after an archive is alone") {
  MadeArchive made;
  made.add(kChain, kDay, rows(1, 3));
  {
    const Tenure other(made.store(), "retention");
    try {
      compact(made, kNext);
      FAIL("two at once");
    } catch (const StorageError& error) {
      CHECK_THAT(error.what(), ContainsSubstring("`seguectl retention` (process "));
    }
  }
  CHECK_NOTHROW(compact(made, kNext));
}

// The book of the term that is held, and its key.
std::pair<std::string, std::string> held_term(MadeArchive& made) {
  std::string key;
  made.store().list(tenure_folder(), "", [&](const StoredObject& object) { key = object.key; });
  return {key, *made.store().read(key)};
}

TEST_CASE("a process of this machine that lives has its term however long it says nothing") {
  MadeArchive made;
  const Tenure other(made.store(), "forget");
  const auto [key, book] = held_term(made);
  const auto at = book.find("\"confirmed_at\":") + 15;
  made.store().replace(key, book.substr(0, at) + "1}");
  CHECK_THROWS_AS(Tenure(made.store(), "compact"), StorageError);
  // Of another machine nothing else is known.
  std::string elsewhere = *made.store().read(key);
  elsewhere.insert(elsewhere.find("\"machine\":\"") + 11, "far-");
  made.store().replace(key, elsewhere);
  CHECK_NOTHROW(Tenure(made.store(), "compact"));
}

TEST_CASE("a term whose process is gone is taken over, and who was taken for dead notices") {
  MadeArchive made;
  auto gone = std::make_unique<Tenure>(made.store(), "compact");
  const auto [key, book] = held_term(made);
  const auto at = book.find("\"process_start\":\"") + 17;
  made.store().replace(key, book.substr(0, at) + "1" + book.substr(at));
  CHECK_NOTHROW(Tenure(made.store(), "forget"));
  CHECK_THROWS_AS(gone->confirm(), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
