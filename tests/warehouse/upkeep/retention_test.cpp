#include "warehouse/upkeep/retention.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/warehouse/archive/hooked_store.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/upkeep/closed_days.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

const Day kDay = *parse_day("2026-11-10");
const Chain kChain{"shop", "0"};
const Chain kIdle{"shop", "1"};
constexpr std::int64_t kNow = 1'800'000'000'000'000;

Day day(int number) { return kDay + std::chrono::days(number); }

// Four days with two rows each, and an idle chain that has the first day alone.
struct Made : MadeArchive {
  Made() {
    add(kIdle, day(0), {{.id = 100}, {.id = 101}});
    for (int i = 0; i < 4; ++i) {
      const auto id = static_cast<std::uint64_t>(i) * 2 + 1;
      add(kChain, day(i), {{.id = id}, {.id = id + 1}});
    }
  }
  void compact(Day before) {
    MadeBench bench(store());
    Compactor(archive(), *bench, {.before = before}, kNow).run();
  }
  RetentionReport keep_from(Day from) {
    return Retention(archive(), from).run();
  }
  std::size_t findings() {
    MadeBench bench(store());
    return Verification(archive(), *bench, {}, kNow).run().findings.size();
  }
};

const char* const kIds = "SELECT count(*), min(id), max(id) FROM {}";

TEST_CASE("days that are old go whole, with their claims, and chains begin behind them") {
  Made made;
  made.compact(day(3));
  for (const Chain& chain : {kChain, kIdle})
    made.archive().set_checkpoint(made.archive().claims(chain).front().claim);
  const std::string before = made.everything();
  const auto plan = Retention(made.archive(), day(2)).plan();
  CHECK(made.everything() == before);
  CHECK(plan.before == day(2));
  CHECK(plan.days == 2);
  CHECK(plan.claims == 3);
  CHECK(plan.blocked.empty());

  const auto report = made.keep_from(day(2));
  CHECK(report.files == plan.files);
  CHECK(made.ask(kIds) == fmt::format("|4|{}|{}\n", id_text(5), id_text(8)));
  CHECK(made.archive().genesis(kChain) == 5);
  CHECK(made.archive().claims(kChain).size() == 2);
  CHECK(made.archive().tip(kChain).next == 9);
  // A chain all of which is old goes on where it ended.
  CHECK(made.archive().claims(kIdle).empty());
  CHECK(made.archive().tip(kIdle).next == 3);
  CHECK_FALSE(made.store().size(checkpoint_key(kIdle)));
  CHECK(made.store().size(checkpoint_key(kChain)));
  CHECK(made.findings() == 0);
  CHECK_FALSE(made.store().size(compaction_key(day(0))));
  CHECK_FALSE(Retention(made.archive(), day(2)).plan().before);
}

TEST_CASE("a day that is not compacted stays however old it is, and that is said") {
  Made made;
  CHECK_FALSE(made.keep_from(day(3)).before);
  CHECK_THAT(made.keep_from(day(3)).blocked,
             Catch::Matchers::ContainsSubstring("`seguectl compact --yes` first"));
  made.compact(day(1));
  const auto report = made.keep_from(day(3));
  CHECK(report.before == day(1));
  CHECK_FALSE(report.blocked.empty());
  CHECK(made.ask("SELECT count(*) FROM {}") == "|6\n");
  CHECK(made.findings() == 0);
}

TEST_CASE("who is taken over while claims are looked through takes nothing away") {
  Made made;
  made.compact(day(3));
  HookedStore store(made.folder());
  store.before_reading = [&](std::string_view key) {
    if (key.starts_with(chain_folder(kChain)) && key.ends_with(".done"))
      made.store().create(tenure_folder() + "10000000000000000000.json", "{\"state\":\"held\"}");
  };
  Archive archive = Archive::open(store);
  CHECK_THROWS_AS(Retention(archive, day(2)).run(), StorageError);
  CHECK_FALSE(retained_from(made.store()));
  CHECK(made.archive().genesis(kChain) == 1);
  CHECK(made.archive().claims(kChain).size() == 4);
}

TEST_CASE("archiving and compaction go on behind what went") {
  Made made;
  made.compact(day(2));
  made.keep_from(day(2));
  made.add(kIdle, day(4), {{.id = 200}});
  made.add(kChain, day(4), {{.id = 9}});
  made.compact(day(5));
  CHECK(made.ask("SELECT count(*), count(DISTINCT id) FROM {}") == "|6|6\n");
  CHECK(made.findings() == 0);
  made.keep_from(day(5));
  CHECK(made.archive().files().empty());
  CHECK(made.archive().tip(kChain).next == 10);
  CHECK(made.findings() == 0);
}

}  // namespace
}  // namespace segue::warehouse
