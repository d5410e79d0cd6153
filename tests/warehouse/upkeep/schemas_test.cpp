// Days whose files other versions wrote are compacted and cleared of accounts.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/sql/views.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

using Catch::Matchers::ContainsSubstring;

const Day kDay = *parse_day("2026-11-01");
const Day kNext = kDay + std::chrono::days(1);
const Chain kChain{"shop", "0"};
const Chain kOther{"shop", "1"};
constexpr std::int64_t kNow = 1'800'000'000'000'000;

// A day of two files of this version, and of those of others that a test adds.
struct Made : MadeArchive {
  Made() { add(kOther, kDay, {{.id = 1, .account = "ann"}, {.id = 2}}); }

  // A claim of the rows 0 to before `rows` of kChain whose file is this one.
  Claim add_file(const std::filesystem::path& file, std::uint64_t rows) {
    archive().start_chain(kChain, 0);
    Claim claim;
    claim.chain = kChain;
    claim.end = rows - 1;
    claim.day = kDay;
    claim.file.rows = rows;
    add_size_and_hash(claim.file, file);
    archive().claim(claim);
    store().create_from(claim.file_key(), file);
    archive().say_done(claim, {claim.file_key(), claim.file, 0, 0});
    return claim;
  }
  // Four rows, every other one Ann's, whose columns are called otherwise, and one more of an id.
  Claim add_written(const std::string& more, int field_id) {
    Engine engine;
    engine.run(fmt::format(
        "COPY (SELECT CASE WHEN n % 2 = 0 THEN 'ann' ELSE 'bob' END AS account, n::VARCHAR AS "
        "identity, 'PRIMARY' AS kind, 'of old' AS {0}, 'shop' AS source, '0' AS \"partition\", "
        "n::BIGINT AS \"offset\" FROM range(4) t(n)) TO {1} (FORMAT parquet, FIELD_IDS {{account: "
        "15, identity: 1, kind: 3, {0}: {2}, source: 100, \"partition\": 101, \"offset\": 102}})",
        more, sql_literal((written_ / "written.parquet").string()), field_id));
    return add_file(written_ / "written.parquet", 4);
  }
  void compact() {
    MadeBench bench(store());
    Compactor(archive(), *bench, {.before = kNext}, kNow).run();
  }
  // As queries read them: columns by their field ids.
  std::string ask_by_ids(const std::string& sql) {
    Engine engine;
    std::vector<std::string> paths;
    for (const StoredObject& file : archive().files())
      paths.push_back(path_of(file.key).string());
    add_archived(engine, paths);
    std::string text;
    engine.ask(sql, [&](const Engine::Row& row) {
      for (const std::string_view value : row)
        text += fmt::format("|{}", value.data() == nullptr ? "NULL" : value);
      text += '\n';
    });
    return text;
  }
  std::string all() {
    return ask_by_ids("SELECT COLUMNS(* EXCLUDE (filename))::VARCHAR FROM archived ORDER BY source, "
                      "\"partition\", \"offset\"");
  }
  std::size_t findings() {
    MadeBench bench(store());
    const auto report =
        Verification(archive(), *bench, {.rows = VerificationOptions::Rows::each}, kNow).run();
    for (const Finding& finding : report.findings)
      UNSCOPED_INFO(name_of(finding.kind) << " " << finding.where << ": " << finding.what);
    return report.findings.size();
  }

  static constexpr const char* kOlder =
      SEGUE_SOURCE_DIR "/tests/warehouse/data/raw/dt=2026-11-01/shop~0~00000000000000000000~3.parquet";

 private:
  TempDir written_;
};

TEST_CASE("a day of files of two schemas is compacted, and no value changes or goes") {
  Made made;
  made.add_file(Made::kOlder, 4);
  const std::string before = made.all();
  CHECK_THAT(before, ContainsSubstring("|search-read|"));
  made.compact();
  REQUIRE(made.archive().files().size() == 1);
  CHECK(made.all() == before);
  CHECK(made.ask("SELECT count(DISTINCT name) FROM parquet_schema('" +
                 made.path_of(made.archive().files()[0].key).string() +
                 "') WHERE name IN ('route', 'route_name')") == "|1\n");
  CHECK(made.findings() == 0);
}

TEST_CASE("an account goes from a file of an older schema, and no other value changes or goes") {
  Made made;
  const Claim older = made.add_written("route_name", 7);
  MadeBench bench(made.store());
  CHECK(Forgetting(made.archive(), *bench, {"ann"}).run().days.at(kDay).rows == 3);
  CHECK(made.ask_by_ids("SELECT id, account_id, route, \"offset\"::VARCHAR FROM archived WHERE source = "
                        "'shop' AND \"partition\" = '0' ORDER BY 1") ==
        "|1|bob|of old|1\n|3|bob|of old|3\n");
  CHECK(made.archive().done(older)->forgotten == 2);
  CHECK(made.findings() == 0);
}

TEST_CASE("columns of a newer schema are lost to nobody: its files are refused, and stay") {
  Made made;
  made.add_written("of_tomorrow", 99);
  const auto refusal = ContainsSubstring("has a column `of_tomorrow`: a newer segue wrote it");
  CHECK_THROWS_WITH(made.compact(), refusal);
  MadeBench bench(made.store());
  CHECK_THROWS_WITH(Forgetting(made.archive(), *bench, {"ann"}).run(), refusal);
  CHECK_FALSE(made.archive().watermark());
  CHECK(made.findings() == 0);
}

}  // namespace
}  // namespace segue::warehouse
