#include "warehouse/upkeep/forgetting.hpp"

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/warehouse/archive/hooked_store.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/sql/comparison_file.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting_mend.hpp"
#include "warehouse/upkeep/retention.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

using Catch::Matchers::ContainsSubstring;

const Day kDay = *parse_day("2026-11-10");
const Day kNext = kDay + std::chrono::days(1);
const Chain kChain{"shop", "0"};
constexpr std::int64_t kNow = 1'800'000'000'000'000;

// Ann and Bob on two days, of which the first was compacted; a shadow and a FINISH of Ann's.
struct Made : MadeArchive {
  Made() {
    add(kChain, kDay,
        {{.id = 1, .account = "ann"},
         {.id = 2, .account = "bob"},
         {.id = 3, .parent = 1, .kind = v1::KIND_FINISH},
         {.id = 4}});
    MadeBench bench(store());
    Compactor(archive(), *bench, {.before = kNext}, kNow).run();
    add(kChain, kNext, {{.id = 5, .account = "bob"}, {.id = 6, .account = "bob"}});
    add(kChain, kNext,
        {{.id = 7, .account = "ann"},
         {.id = 8, .parent = 7, .kind = v1::KIND_SHADOW},
         {.id = 9, .account = "bob"}});
  }
  ForgettingReport forget(const std::string& account) {
    MadeBench bench(store());
    return Forgetting(archive(), *bench, {account}).run();
  }
  std::vector<Finding> findings() {
    MadeBench bench(store());
    return Verification(archive(), *bench, {.rows = VerificationOptions::Rows::each}, kNow)
        .run()
        .findings;
  }
  // How many rows of any file hold a text, in whatever column.
  std::string rows_with(const std::string& text) {
    std::string sum = "SELECT 0";
    for (const std::string& folder : {raw_folder(), compact_folder()})
      store().list(folder, "", [&](const StoredObject& object) {
        sum += fmt::format(" + (SELECT count(*) FROM read_parquet('{}') f WHERE f::VARCHAR LIKE "
                           "'%{}%' OR contains(record::VARCHAR, '{}'))",
                           path_of(object.key).string(), text, text);
      });
    return ask(sum);
  }
};

TEST_CASE("an account goes with all that belongs to its exchanges, from files of every kind") {
  Made made;
  CHECK(made.rows_with("ann") != "|0\n");
  const std::string before = made.everything();
  MadeBench bench(made.store());
  const auto plan = Forgetting(made.archive(), *bench, {"ann"}).plan();
  CHECK(made.everything() == before);
  REQUIRE(plan.days.size() == 2);
  CHECK(plan.days.at(kDay).files == 2);  // the raw file of the compacted day is still there
  CHECK(plan.days.at(kDay).rows == 4);
  CHECK(plan.days.at(kNext).rows == 2);

  made.forget("ann");
  CHECK(made.rows_with("ann") == "|0\n");
  CHECK(made.rows_with("bob") != "|0\n");
  CHECK(made.ask("SELECT id FROM {} ORDER BY id") ==
        fmt::format("|{}\n|{}\n|{}\n|{}\n|{}\n", id_text(2), id_text(4), id_text(5), id_text(6),
                    id_text(9)));
  CHECK(made.findings().empty());
  CHECK(compaction_of(made.store(), kDay)->forgotten_rows() == 2);
  CHECK(made.archive().claims(kChain)[2].done->forgotten == 2);
  CHECK(made.forget("ann").days.empty());
}

// A file of comparisons: a row for each pair, with what its answers said.
std::string add_comparisons(MadeArchive& made, const std::string& name,
                            const std::vector<std::pair<std::uint64_t, std::string>>& pairs) {
  ComparisonFile file;
  for (const auto& [id, value] : pairs)
    file.add({.id = id_text(id),
              .copy_id = id_text(id + 1),
              .created_at = 1,
              .verdict = "different",
              .path = "/name",
              .value = value,
              .copy_value = "nobody"});
  const TempDir folder;
  file.write(folder / "file.parquet");
  const std::string key =
      fmt::format("{}dt={}/{}.parquet", comparisons_folder(), text_of(kNext), name);
  made.store().create_from(key, folder / "file.parquet");
  return key;
}

TEST_CASE("what comparisons say of an account's answers goes with it, and other pairs stay") {
  Made made;
  const std::vector<std::string> keys{
      add_comparisons(made, "both", {{7, "Ann's secret"}, {5, "Bob's"}}),
      add_comparisons(made, "ann", {{7, "Ann's secret"}}),
      add_comparisons(made, "bob", {{5, "Bob's"}})};
  const std::string bobs = *made.store().read(keys[2]);
  MadeBench bench(made.store());
  const auto read = [&] { return (*bench).numbers("SELECT count(*), count_if(value = 'Ann''s secret'), "
      "count_if(value = 'Bob''s'), count_if(copy_value = 'nobody') FROM " + (*bench).rows_of(keys)); };
  CHECK(read() == std::vector<std::uint64_t>{4, 2, 2, 4});
  const auto report = made.forget("ann");
  CHECK(report.days.at(kNext).files == 3);
  CHECK(report.days.at(kNext).rows == 4);
  CHECK(read() == std::vector<std::uint64_t>{2, 0, 2, 2});
  CHECK(made.store().read(keys[2]) == bobs);
  // Not only its rows: none of its octets are left.
  for (const std::string& key : keys)
    CHECK_THAT(*made.store().read(key), !ContainsSubstring("secret"));
  CHECK(made.findings().empty());
  CHECK(half_forgotten(made.store()).empty());
}

TEST_CASE("comparisons of who was killed while it rewrote them are forgotten by running it again") {
  Made made;
  const std::string key = add_comparisons(made, "ann", {{7, "Ann's secret"}, {5, "Bob's"}});
  {
    HookedStore store(made.folder());
    store.before_replacing_from = [&](std::string_view replaced) {
      if (replaced == key) throw StorageError("killed");
    };
    Archive archive = Archive::open(store);
    MadeBench bench(store);
    CHECK_THROWS_AS(Forgetting(archive, *bench, {"ann"}).run(), StorageError);
  }
  const auto findings = made.findings();
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].where == key);
  CHECK(findings[0].kind == Finding::Kind::unfinished);
  CHECK(findings[1].where == forgetting_ids_key());
  made.forget("ann");
  MadeBench bench(made.store());
  CHECK((*bench).numbers("SELECT count(*) FROM " + (*bench).rows_of({&key, 1})) ==
        std::vector<std::uint64_t>{1});
  CHECK(made.findings().empty());
}

TEST_CASE("a FINISH in a file behind the one that was killed goes with the next forget, whosever it is") {
  Made made;
  const Claim later =
      made.add(kChain, kNext, {{.id = 30, .parent = 7, .kind = v1::KIND_FINISH}, {.id = 31}});
  {
    HookedStore store(made.folder());
    store.before_replacing_from = [&](std::string_view replaced) {
      if (replaced == later.file_key()) throw StorageError("killed");
    };
    Archive archive = Archive::open(store);
    MadeBench bench(store);
    CHECK_THROWS_AS(Forgetting(archive, *bench, {"ann"}).run(), StorageError);
  }
  CHECK(made.forget("nobody").days.at(kNext).rows == 1);
  CHECK(made.archive().done(later)->file.rows == 1);
  CHECK(made.findings().empty());
}

TEST_CASE("a FINISH in a file that its archiver had not finished goes with the next forget") {
  Made made;
  const Claim open = made.add(kChain, kNext, {{.id = 30, .parent = 7, .kind = v1::KIND_FINISH}},
                              MadeArchive::End::published);
  CHECK(made.forget("ann").unfinished.size() == 1);
  made.archive().say_done(open, {open.file_key(), open.file, open.claimed_at, 0});
  CHECK(made.findings().size() == 1);
  CHECK(made.forget("ann").days.at(kNext).rows == 1);
  CHECK(made.archive().done(open)->file.rows == 0);
  CHECK(made.findings().empty());
}

TEST_CASE("a file of which nothing stays is a file without rows") {
  Made made;
  const Claim claim = made.add(kChain, kNext, {{.id = 30, .account = "carl"}});
  CHECK(made.forget("carl").days.at(kNext).files == 1);
  CHECK(made.archive().done(claim)->file.rows == 0);
  CHECK(made.rows_with("carl") == "|0\n");
  CHECK(made.findings().empty());
  MadeBench bench(made.store());
  Compactor(made.archive(), *bench, {.before = kNext + std::chrono::days(1)}, kNow).run();
  CHECK(made.ask("SELECT count(*) FROM {}") == "|9\n");
  CHECK(made.findings().empty());
}

TEST_CASE("a day is compacted after some of it was forgotten") {
  Made made;
  made.forget("ann");
  MadeBench bench(made.store());
  Compactor(made.archive(), *bench, {.before = kNext + std::chrono::days(1)}, kNow).run();
  CHECK(made.ask("SELECT count(*), count(DISTINCT id) FROM {}") == "|5|5\n");
  CHECK(made.findings().empty());
}

TEST_CASE("nothing of a compaction that was given up keeps what is to be forgotten") {
  Made made;
  const std::string left = compact_key(kNext, 1, "0123456789abcdef");
  made.store().create_from(left, made.path_of(made.file_of(made.archive().claims(kChain)[2].claim)));
  made.forget("ann");
  CHECK_FALSE(made.store().size(left));
}

TEST_CASE("who was killed between a file and its books is put right by the next run") {
  Made made;
  const Claim third = made.archive().claims(kChain)[2].claim;
  const std::string key = made.file_of(third);
  const std::string book = *made.store().read(done_key(kChain, third.start));
  made.forget("ann");
  // As if the books had not been reached.
  const FileFacts now = made.archive().done(third)->file;
  made.store().replace(done_key(kChain, third.start), book);
  set_half_forgotten(made.store(), {{key, now}});
  auto findings = made.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].kind == Finding::Kind::unfinished);
  CHECK(made.forget("ann").days.empty());
  CHECK(made.findings().empty());
  CHECK(made.archive().done(third)->forgotten == 2);
}

TEST_CASE("a file that is damaged while it is listed stays wrong in the books, and the others go on") {
  Made made;
  const Claim third = made.archive().claims(kChain)[2].claim;
  const std::string key = made.file_of(third);
  {
    HookedStore store(made.folder());
    store.before_making = [&](std::string_view made_key) {
      if (made_key == done_key(kChain, third.start)) throw StorageError("killed");
    };
    Archive archive = Archive::open(store);
    MadeBench bench(store);
    CHECK_THROWS_AS(Forgetting(archive, *bench, {"ann"}).run(), StorageError);
  }
  const std::string book = *made.store().read(done_key(kChain, third.start));
  const std::string rewritten = *made.store().read(key);
  made.store().replace(key, std::string(rewritten.size(), 'x'));
  made.add(kChain, kNext, {{.id = 20, .account = "carl"}});
  auto report = made.forget("carl");
  CHECK(report.days.at(kNext).rows == 1);
  REQUIRE(report.warnings.size() == 1);
  CHECK_THAT(report.warnings[0], ContainsSubstring(key + " is neither as its books say nor"));
  CHECK(made.store().read(done_key(kChain, third.start)) == book);
  CHECK(made.findings().at(0).kind == Finding::Kind::unfinished);
  MadeBench bench(made.store());
  const Day behind = kNext + std::chrono::days(1);
  const auto compacted = Compactor(made.archive(), *bench, {.before = behind}, kNow).run();
  CHECK_THAT(compacted.blocked, ContainsSubstring("dt=2026-11-11 waits for " + key));
  const auto kept = Retention(made.archive(), kNext).run();
  CHECK(kept.days == 1);
  CHECK(kept.warnings == report.warnings);
  // Put back as `forget` had written it, it is put right.
  made.store().replace(key, rewritten);
  CHECK(made.forget("nobody").warnings.empty());
  CHECK(made.findings().empty());
  CHECK(made.archive().done(third)->forgotten == 2);
}

TEST_CASE("a dry run passes over a file that a killed run left damaged, and names it") {
  Made made;
  const std::string key = made.file_of(made.archive().claims(kChain)[2].claim);
  made.store().replace(key, "x");
  MadeBench bench(made.store());
  CHECK_THROWS_AS(Forgetting(made.archive(), *bench, {"ann"}).plan(), StorageError);
  set_half_forgotten(made.store(), {{key, std::nullopt}});
  const auto plan = Forgetting(made.archive(), *bench, {"ann"}).plan();
  CHECK(plan.days.at(kDay).rows == 4);
  REQUIRE(plan.warnings.size() == 1);
  CHECK_THAT(plan.warnings[0], ContainsSubstring(key));
}

TEST_CASE("who is taken over while files are looked through changes nothing any more") {
  Made made;
  MadeBench bench(made.store());
  unsigned looked = 0;
  const UpkeepWatch watch{.at =
                              [&](std::uint64_t, std::uint64_t) {
                                if (++looked == 1)
                                  made.store().create(tenure_folder() + "10000000000000000000.json",
                                                      "{\"state\":\"held\"}");
                              },
                          .told_to_end = {}};
  CHECK_THROWS_AS(Forgetting(made.archive(), *bench, {"ann"}, watch).run(), StorageError);
  CHECK(looked == 1);
  CHECK(half_forgotten(made.store()).empty());
}

TEST_CASE("a file that its archiver has not finished is left alone, and named") {
  Made made;
  const Claim open =
      made.add(kChain, kNext, {{.id = 20, .account = "ann"}}, MadeArchive::End::published);
  const auto report = made.forget("ann");
  CHECK(report.unfinished == std::vector<std::string>{open.file_key()});
}

}  // namespace
}  // namespace segue::warehouse
