// An archive as SOURCE of every command, and as what SQL is asked of, with the journal's tail.
#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/cli/comparing_command.hpp"
#include "tests/cli/shadowed_journal.hpp"
#include "tests/cli/terminal.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

CommandResult seguectl(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{seguectl_path()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

// A journal and an archive beside each other, and a configuration that names both.
class Warehouse {
 public:
  Warehouse() {
    std::ofstream(config()) << fmt::format(
        "version: 1\nlisteners: {{ public: {{ address: \"127.0.0.1:1\" }} }}\n"
        "backends: {{ legacy: {{ endpoints: [\"127.0.0.1:2\"] }} }}\n"
        "routes: {{ all: {{ match: {{ prefix: / }}, to: legacy, record: none }} }}\n"
        "recorder: {{ journal: {{ dir: \"{}\" }} }}\n"
        "archive: {{ from: journal, to: \"{}\" }}\n",
        journal_path().string(), archive());
  }
  fs::path journal_path() const { return folder_.path() / "journal"; }
  std::string journal() const { return "journal:" + journal_path().string(); }
  fs::path archive_path() const { return folder_.path() / "archive"; }
  std::string archive() const { return "archive:" + archive_path().string(); }
  std::string config() const { return (folder_.path() / "segue.yaml").string(); }
  const fs::path& folder() const { return folder_.path(); }

  void archive_now(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"archive", journal(), "--to", archive(), "--once"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = seguectl(arguments);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
  }

 private:
  TempDir folder_;
};

void fill(ShadowedJournal& journal, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t n = from; n < to; ++n)
    journal.pair(n, {.body = fmt::format(R"({{"total":{}}})", n)},
                 {.body = fmt::format(R"({{"total":{}}})", n % 10 == 5 ? n + 1 : n),
                  .status = static_cast<std::uint16_t>(n % 10 == 0 ? 500 : 200)});
}

std::string without_archive_words(std::string text, const Warehouse& warehouse) {
  for (const std::string& name : {warehouse.archive(), warehouse.journal()})
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name))
      text.replace(at, name.size(), "SOURCE");
  return text;
}

TEST_CASE("every command says of an archive what it says of the journal it was made of") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 50);
  }
  warehouse.archive_now({"--flush-rows", "30"});
  const std::string id = "019aa5a2-9a0";  // of pairs 0 to 15, both sides
  const std::vector<std::vector<std::string>> commands{
      {"cat", "-o", "json"},
      {"cat"},
      {"cat", "--status", "5xx", "--kind", "shadow"},
      {"cat", "--route", "search-read", "--limit", "7"},
      {"cat", "--account", "nobody"},
      {"tail", "-n", "5"},
      {"tail", "-n", "500", "--status", "500"},
      {"compare"},
      {"compare", "-o", "json"},
      {"query", "SELECT kind, status, count(*) AS n, min(response_body) AS least FROM exchanges "
                "GROUP BY ALL ORDER BY ALL"},
      {"query", "SELECT count(*) FROM pairs WHERE status <> copy_status"},
  };
  for (const auto& command : commands) {
    auto of_journal = command;
    auto of_archive = command;
    of_journal.push_back(warehouse.journal());
    of_archive.push_back(warehouse.archive());
    const CommandResult expected = seguectl(of_journal);
    const CommandResult found = seguectl(of_archive);
    INFO(fmt::format("{}\n{}", fmt::join(command, " "), found.err));
    CHECK(found.exit_code == expected.exit_code);
    CHECK(without_archive_words(found.out, warehouse) ==
          without_archive_words(expected.out, warehouse));
  }
}

TEST_CASE("show finds in an archive by the whole id and by its start") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 50);
  }
  warehouse.archive_now({"--flush-rows", "30"});
  const std::string id = primary_id(33).text();
  for (const std::string& asked : {id, id.substr(0, 13) + id.substr(14, 22)}) {
    const CommandResult expected = seguectl({"show", asked, "--as", "json", warehouse.journal()});
    const CommandResult found = seguectl({"show", asked, "--as", "json", warehouse.archive()});
    INFO(found.err);
    CHECK(found.exit_code == 0);
    CHECK(found.out == expected.out);
    CHECK(has(found.out, id));
  }
  const CommandResult several = seguectl({"show", id.substr(0, 8), warehouse.archive()});
  CHECK(several.exit_code == 2);
  const CommandResult none = seguectl({"show", "ffffffff", warehouse.archive()});
  CHECK(none.exit_code == 1);
}

TEST_CASE("tail -f of an archive shows what comes into it") {
  const Warehouse warehouse;
  ShadowedJournal journal(warehouse.journal_path());
  fill(journal, 0, 3);
  warehouse.archive_now();
  Terminal terminal({seguectl_path(), "tail", "-n", "1", "-f", warehouse.archive()}, {"TERM=dumb"});
  terminal.read_until(shadow_id(2).text().substr(0, 18));
  fill(journal, 3, 4);
  warehouse.archive_now();
  terminal.read_until(primary_id(3).text().substr(0, 18));
  terminal.press("\x03");
  CHECK(terminal.wait() == 130);
}

TEST_CASE("a row of an archive says where its record came from") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 10);
  }
  warehouse.archive_now();
  const CommandResult result = seguectl(
      {"query", "SELECT count(DISTINCT (source, \"partition\", \"offset\")) AS n, "
                "bool_or(redelivered) AS again, count(dt) AS days FROM exchanges",
       warehouse.archive(), "-o", "json"});
  INFO(result.err);
  CHECK(result.out == "{\"n\":20,\"again\":false,\"days\":20}\n");
}

TEST_CASE("archive and journal together have each exchange once, also what came a moment ago") {
  const Warehouse warehouse;
  ShadowedJournal journal(warehouse.journal_path());
  const std::string sql = "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM exchanges";
  const auto counted = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"query", sql, "-c", warehouse.config(), "-o", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = seguectl(arguments);
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.out;
  };
  fill(journal, 0, 20);
  warehouse.archive_now();
  CHECK(counted({}) == "{\"n\":40,\"ids\":40}\n");
  fill(journal, 20, 25);
  CHECK(counted({}) == "{\"n\":50,\"ids\":50}\n");
  CHECK(counted({"--no-tail"}) == "{\"n\":40,\"ids\":40}\n");
  warehouse.archive_now();
  CHECK(counted({"--no-tail"}) == "{\"n\":50,\"ids\":50}\n");
  CHECK(counted({}) == "{\"n\":50,\"ids\":50}\n");
}

TEST_CASE("while a gateway records and an archiver runs, no answer lacks or doubles an exchange") {
  const Warehouse warehouse;
  ShadowedJournal journal(warehouse.journal_path());
  fill(journal, 0, 1);
  warehouse.archive_now();
  std::atomic<std::uint64_t> recorded{1};
  std::jthread gateway([&](const std::stop_token& stop) {
    for (std::uint64_t n = 1; !stop.stop_requested() && n < 4000; ++n) {
      fill(journal, n, n + 1);
      recorded = n + 1;
    }
  });
  Process archiver({seguectl_path(), "archive", warehouse.journal(), "--to", warehouse.archive(),
                    "--flush-rows", "200", "--flush-every", "100ms", "--staging",
                     (warehouse.folder() / "staging").string()},
                   warehouse.folder() / "archiver.out");
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t before = recorded;
    const CommandResult result = seguectl(
        {"query", "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM exchanges", "-c",
         warehouse.config(), "-o", "csv"});
    const std::uint64_t after = recorded;
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    std::uint64_t rows = 0;
    std::uint64_t ids = 0;
    char comma = 0;
    std::istringstream line(result.out.substr(result.out.find('\n') + 1));
    REQUIRE(line >> rows >> comma >> ids);
    CHECK(rows == ids);
    CHECK(rows >= 2 * before);
    CHECK(rows <= 2 * after + 2);
  }
}

TEST_CASE("the columns of an archive are there before it is") {
  const Warehouse warehouse;
  ShadowedJournal journal(warehouse.journal_path());
  fill(journal, 0, 20);
  const auto asked = [&] {
    const CommandResult result = seguectl(
        {"query", "SELECT count(*) AS n, count(dt) AS days, count(\"offset\") < 20 AS fewer FROM "
                  "exchanges WHERE redelivered IS NOT DISTINCT FROM redelivered",
         "-c", warehouse.config(), "-o", "json"});
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return result.out;
  };
  CHECK(asked() == "{\"n\":40,\"days\":40,\"fewer\":true}\n");
  warehouse.archive_now();
  CHECK(asked() == "{\"n\":40,\"days\":40,\"fewer\":false}\n");
}

TEST_CASE("what is older than --since is left out, in the archive and behind it") {
  const Warehouse warehouse;
  ShadowedJournal journal(warehouse.journal_path());
  fill(journal, 0, 20);
  warehouse.archive_now();
  fill(journal, 20, 25);
  const CommandResult result =
      seguectl({"query", "SELECT count(*) AS n FROM exchanges", "-c", warehouse.config(), "-o",
                "json", "--since", "2025-11-21T09:00:00.015Z"});
  INFO(result.err);
  CHECK(result.out == "{\"n\":20}\n");
}

TEST_CASE("what compare stores is there by SQL, and stored twice it is there once") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 50);
  }
  warehouse.archive_now();
  const auto files = [&] {
    std::size_t count = 0;
    const fs::path stored = warehouse.archive_path() / "comparisons";
    for (const auto& entry : fs::recursive_directory_iterator(stored))
      count += entry.path().extension() == ".parquet" ? 1 : 0;
    return count;
  };
  for (int round = 0; round < 2; ++round) {
    const CommandResult stored =
        seguectl({"compare", warehouse.archive(), "--store", warehouse.archive()});
    INFO(stored.err);
    CHECK(stored.exit_code == 0);  // too few pairs to call anything a finding
    CHECK(has(stored.err, "50 pairs stored"));
    CHECK(files() == 1);
  }
  const CommandResult asked = seguectl(
      {"query", "SELECT verdict, part, field, difference, count(*) AS n FROM comparisons "
                "GROUP BY ALL ORDER BY ALL",
       warehouse.archive(), "-o", "csv"});
  INFO(asked.err);
  CHECK(asked.out ==
        "verdict,part,field,difference,n\n"
        "different,body,$.total,value,5\n"
        "different,status,\"\",value,5\n"
        "same,,,,40\n");
}

TEST_CASE("a stored comparison has the path of its route") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    journal.pair(1, {.body = "{}"}, {.body = "[]"}, [](SampleExchange& sample) {
      sample.view.decision.path_template = "/searches/{id}";
    });
  }
  warehouse.archive_now();
  const CommandResult stored = seguectl({"compare", "journal:" + warehouse.journal_path().string(),
                                         "--store", warehouse.archive()});
  INFO(stored.err);
  CHECK(has(stored.err, "1 pairs stored"));
  const CommandResult asked = seguectl({"query", "SELECT DISTINCT path_template FROM comparisons",
                                        warehouse.archive(), "-o", "csv"});
  CHECK(asked.out == "path_template\n/searches/{id}\n");
}

TEST_CASE("of comparisons by several rules the last one counts, also when it was made before") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 50);
  }
  warehouse.archive_now();
  const auto stored = [&](const std::vector<std::string>& rules) {
    std::vector<std::string> command{"compare", warehouse.archive(), "--store",
                                     warehouse.archive()};
    command.insert(command.end(), rules.begin(), rules.end());
    const CommandResult compared = seguectl(command);
    INFO(compared.err);
    CHECK(compared.exit_code == 0);
    return seguectl({"query", "SELECT count(*) AS n FROM comparisons WHERE field = '$.total'",
                     warehouse.archive(), "-o", "json"})
        .out;
  };
  CHECK(stored({}) == "{\"n\":5}\n");
  CHECK(stored({"--ignore-json", "$.total"}) == "{\"n\":0}\n");
  CHECK(stored({}) == "{\"n\":5}\n");
  CHECK(stored({}) == "{\"n\":5}\n");
  CHECK(stored({"--ignore-json", "$.total"}) == "{\"n\":0}\n");
}

TEST_CASE("an archive without comparisons has none of them, and all their columns") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 2);
  }
  warehouse.archive_now();
  const CommandResult asked = seguectl({"query", "SELECT count(field) AS n FROM comparisons",
                                        warehouse.archive(), "-o", "json"});
  INFO(asked.err);
  CHECK(asked.out == "{\"n\":0}\n");
}

TEST_CASE("an archive that cannot be read is told in one line, with what to do") {
  const Warehouse warehouse;
  {
    ShadowedJournal journal(warehouse.journal_path());
    fill(journal, 0, 5);
  }
  const auto told = [&](const std::string& part) {
    const CommandResult result =
        seguectl({"query", "SELECT count(route) FROM exchanges", warehouse.archive()});
    INFO(result.err);
    CHECK(result.exit_code == 2);
    CHECK(has(result.err, part));
    CHECK(std::ranges::count(result.err, '\n') == 1);
  };
  told("there is no archive here");
  warehouse.archive_now();
  for (const auto& entry : fs::recursive_directory_iterator(warehouse.archive_path() / "raw"))
    if (entry.path().extension() == ".parquet") fs::resize_file(entry.path(), 1000);
  told(".parquet");
}

}  // namespace
}  // namespace segue::test
