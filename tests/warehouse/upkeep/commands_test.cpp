// The commands that look after an archive, as a user runs them.
#include <fmt/format.h>
#include <signal.h>

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <fstream>

#include "recorder/keyed_hash.hpp"
#include "recorder/redaction/keys.hpp"
#include "tests/support/process.hpp"
#include "tests/warehouse/upkeep/made_archive.hpp"
#include "warehouse/upkeep/forgetting_mend.hpp"

namespace segue::warehouse {
namespace {

using namespace test;

using Catch::Matchers::ContainsSubstring;

const Day kDay = *parse_day("2026-01-10");
const Day kNext = kDay + std::chrono::days(1);
const Chain kChain{"shop", "0"};
// What a dry run ends with that has something to do, and 1.
constexpr const char* kNotDone = "seguectl: nothing was changed; --yes does it\n";

class Asked : public MadeArchive {
 public:
  CommandResult run(const std::string& command, std::vector<std::string> more = {}) {
    std::vector<std::string> line{seguectl_path(), command, "archive:" + folder().string(),
                                  "--staging", staging_.path().string()};
    line.insert(line.end(), more.begin(), more.end());
    return run_command(line);
  }
  boost::json::value json(const std::string& command, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"-o", "json"});
    return boost::json::parse(run(command, more).out);
  }
  const std::filesystem::path& staging() const { return staging_.path(); }

 private:
  TempDir staging_;
};

TEST_CASE("compact says what it would do, does it with --yes, and then has nothing to do") {
  Asked made;
  made.add(kChain, kDay, {{.id = 1}, {.id = 2}});
  made.add(kChain, kNext, {{.id = 3}});
  const std::string before = made.everything();
  auto result = made.run("compact", {"--before", "2026-01-11"});
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK(made.everything() == before);
  CHECK_THAT(result.out, ContainsSubstring("2026-01-10  1 file, 2 rows"));
  CHECK(result.err == kNotDone);
  const auto done = made.json("compact", {"--before", "2026-01-11", "--yes"});
  CHECK(done.at("mode") == "applied");
  CHECK(done.at("watermark") == "2026-01-11");
  CHECK(done.at("days").at(0).at("outputs") == 1);
  CHECK(made.archive().watermark() == kNext);
  // By itself it takes all days before yesterday.
  CHECK(made.run("compact", {"--yes"}).exit_code == 0);
  CHECK(made.ask("SELECT count(*), count(DISTINCT id) FROM {}") == "|3|3\n");
  CHECK(made.json("compact").at("days").as_array().empty());
  result = made.run("compact");
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
}

TEST_CASE("what dead writers left is told by verify and compact, and goes with --yes") {
  Asked made;
  made.add(kChain, kDay, {{.id = 1}});
  const auto left = made.folder() / "raw/.tmp-0123456789abcdef.part";
  std::ofstream(left) << "half a file";
  std::filesystem::last_write_time(
      left, std::filesystem::file_time_type::clock::now() - 2 * kLeftAfter);
  const auto verified = made.run("verify");
  CHECK(verified.exit_code == 0);
  CHECK_THAT(verified.out, ContainsSubstring("1 file that dead writers left"));
  const auto found = made.run("compact");
  CHECK(found.exit_code == 1);
  CHECK_THAT(found.out, ContainsSubstring("1 file that dead writers left\n"));
  CHECK(std::filesystem::exists(left));
  CHECK_THAT(made.run("compact", {"--yes"}).out,
             ContainsSubstring("1 file that dead writers left, removed"));
  CHECK_FALSE(std::filesystem::exists(left));
  CHECK(made.json("verify").at("leftovers") == 0);
}

TEST_CASE("what compact cannot do is said in one line, with 2") {
  Asked made;
  const Claim open = made.add(kChain, kDay, {{.id = 1}}, MadeArchive::End::open);
  auto result = made.run("compact", {"--yes"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring(open.key()));
  CHECK(made.run("compact", {"--before", "tomorrow"}).exit_code == 2);
  CHECK(made.run("compact", {"--before", "2999-01-01"}).exit_code == 2);
  const TempDir empty;
  result = run_command({seguectl_path(), "compact", "archive:" + empty.path().string()});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("there is no archive here"));
  result = run_command({seguectl_path(), "verify", "journal:x"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("write archive:DIR"));
}

TEST_CASE("verify finds with 1, and what was lost only when it is strict") {
  Asked made;
  const std::string key = made.file_of(made.add(kChain, kDay, {{.id = 1}, {.id = 2}}));
  auto result = made.run("verify", {"--deep"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("1 chain, 1 claim, 1 file, 2 rows"));
  made.add_lost(kChain, kDay, 5);
  CHECK(made.run("verify").exit_code == 0);
  CHECK_THAT(made.run("verify").out, ContainsSubstring("the ring was full"));
  CHECK(made.run("verify", {"--strict"}).exit_code == 1);
  std::string changed = *made.store().read(key);
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  made.store().replace(key, changed);
  result = made.run("verify");
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.out, ContainsSubstring("damaged    " + key));
  CHECK(made.json("verify").at("findings").at(0).at("kind") == "damaged");
}

TEST_CASE("retention keeps so many days, and takes none that is not compacted") {
  Asked made;
  made.add(kChain, kDay, {{.id = 1}, {.id = 2}});
  auto result = made.run("retention", {"--keep", "30d", "--yes"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("seguectl compact --yes"));
  made.run("compact", {"--yes"});
  result = made.run("retention", {"--keep", "30d"});
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.out, ContainsSubstring("would go"));
  CHECK(result.err == kNotDone);
  CHECK(made.archive().files().size() == 1);
  CHECK(made.json("retention", {"--keep", "30d", "--yes"}).at("days") == 1);
  CHECK(made.archive().files().empty());
  CHECK(made.run("retention", {"--keep", "30d"}).exit_code == 0);
  CHECK(made.run("verify").exit_code == 0);
  CHECK(made.run("retention", {"--keep", "soon"}).exit_code == 2);
  CHECK(made.run("retention").exit_code == 2);
}

TEST_CASE("forget does not take an empty account for that of exchanges without one") {
  Asked made;
  made.add(kChain, kDay, {{.id = 1, .account = "ann"}});
  const auto result = made.run("forget", {"--account", "", "--yes"});
  CHECK(result.exit_code == 2);
  CHECK_THAT(result.err, ContainsSubstring("it is empty"));
}

TEST_CASE("forget takes an account out, also where it is hashed, and says what it does not reach") {
  Asked made;
  const TempDir keys;
  const auto key_file = keys.write("account.key", std::string(64, 'a') + "\n");
  std::filesystem::permissions(key_file, std::filesystem::perms::owner_read);
  recorder::KeyedHash hash({recorder::read_key_file("account", key_file).bytes});
  made.add(kChain, kDay, {{.id = 1, .account = "ann"},
                          {.id = 2, .account = std::string(hash.text("ann"))},
                          {.id = 3, .account = "bob"}});
  auto result = made.run("forget", {"--account", "ann"});
  INFO(result.err);
  CHECK(result.exit_code == 1);
  CHECK(result.err == kNotDone);
  CHECK_THAT(result.out, ContainsSubstring("2026-01-10  1 row in 1 file"));
  CHECK_THAT(result.out, ContainsSubstring("journal"));
  CHECK_THAT(result.out, ContainsSubstring("backups"));
  CHECK(made.ask("SELECT count(*) FROM {}") == "|3\n");
  const auto done = made.json("forget", {"--account", "ann", "--key", key_file.string(), "--yes"});
  CHECK(done.at("rows") == 2);
  CHECK(made.ask("SELECT account_id FROM {}") == "|bob\n");
  CHECK(made.run("forget", {"--account", "ann", "--key", key_file.string()}).exit_code == 0);
  CHECK(made.run("verify", {"--deep"}).exit_code == 0);
  CHECK(made.run("forget").exit_code == 2);
}

TEST_CASE("a file that a killed forget left damaged is named with 2, and holds up nothing else") {
  Asked made;
  const std::string bad = made.file_of(made.add(kChain, kDay, {{.id = 1, .account = "ann"}}));
  made.add(kChain, kDay, {{.id = 2, .account = "bob"}, {.id = 3}});
  made.store().replace(bad, "x");
  set_half_forgotten(made.store(), {{bad, std::nullopt}});
  const std::string line = bad + " is neither as its books say nor as `forget` was writing it";
  const auto forgotten = made.run("forget", {"--account", "bob", "--yes"});
  CHECK(forgotten.exit_code == 2);
  CHECK_THAT(forgotten.err, ContainsSubstring(line));
  CHECK_THAT(forgotten.out, ContainsSubstring("1 row forgotten"));
  CHECK(made.run("forget", {"--account", "bob", "--yes", "-o", "json"}).exit_code == 2);
  CHECK(made.json("forget", {"--account", "bob", "--yes"}).at("warnings").as_array().size() == 1);
  const auto compacted = made.run("compact", {"--before", "2026-01-11", "--yes"});
  CHECK(compacted.exit_code == 2);
  CHECK_THAT(compacted.err, ContainsSubstring(line));
  CHECK_THAT(compacted.err, ContainsSubstring("dt=2026-01-10 waits for " + bad));
  CHECK_THAT(made.run("verify").out, ContainsSubstring("unfinished " + bad));
}

TEST_CASE("Ctrl-C ends a compaction with 130, and the next run goes on") {
  Asked made;
  for (std::uint64_t day = 0; day < 6; ++day)
    for (std::uint64_t claim = 0; claim < 4; ++claim) {
      std::vector<MadeRow> rows(500);
      for (std::uint64_t i = 0; i < rows.size(); ++i) rows[i].id = day * 10'000 + claim * 500 + i + 1;
      made.add(kChain, kDay + std::chrono::days(day), rows);
    }
  const char* const all = "SELECT count(*), count(DISTINCT id) FROM {}";
  {
    Process compact({seguectl_path(), "compact", "archive:" + made.folder().string(), "--staging",
                     made.staging().string(), "--target-bytes", "65536", "--yes"},
                    made.staging() / "out");
    // Days are under way when the first is closed.
    const Deadline deadline;
    while (!made.archive().is_closing(kDay) && deadline.left() > 0) {
    }
    compact.signal(SIGINT);
    const ProcessEnd end = compact.wait();
    INFO(compact.errors());
    CHECK((end.exit_code == 130 || end.exit_code == 0));
    CHECK(made.ask(all) == "|12000|12000\n");
  }
  CHECK(made.run("compact", {"--yes"}).exit_code == 0);
  CHECK(made.ask(all) == "|12000|12000\n");
  CHECK(made.run("verify", {"--deep"}).exit_code == 0);
}

}  // namespace
}  // namespace segue::warehouse
