// seguectl query as a user runs it, over a journal that the recorder wrote.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/cli/comparing_command.hpp"
#include "tests/cli/shadowed_journal.hpp"
#include "tests/support/descriptor.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

CommandResult query(const std::vector<std::string>& arguments) {
  std::vector<std::string> command{seguectl_path(), "query"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run_command(command);
}

// What there is to read, once there is some; empty: the end.
std::string read_some(const Descriptor& from, const Deadline& deadline = Deadline{}) {
  char octets[65'536];
  pollfd ready{from.get(), POLLIN, 0};
  if (::poll(&ready, 1, deadline.left()) != 1) throw TestFailure("nothing came to be read");
  const ssize_t count = ::read(from.get(), octets, sizeof octets);
  if (count < 0) fail_with_errno("reading");
  return {octets, static_cast<std::size_t>(count)};
}

bool has_quietly(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// 30 pairs, of which every tenth shadow failed.
void fill(const TempDir& folder) {
  ShadowedJournal journal(folder.path());
  for (std::uint64_t n = 0; n < 30; ++n)
    journal.pair(n, {.body = fmt::format(R"({{"total":{}}})", n)},
                 {.body = "{}", .status = static_cast<std::uint16_t>(n % 10 == 0 ? 500 : 200)});
}

TEST_CASE("a statement over a journal prints aligned rows and how many they are") {
  const TempDir folder;
  fill(folder);
  const auto result = query({"SELECT kind, status, count(*) AS n FROM exchanges GROUP BY ALL "
                             "ORDER BY ALL",
                             source(folder)});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.out ==
        "kind     status   n\n"
        "-------  ------  --\n"
        "PRIMARY     200  30\n"
        "SHADOW      200  27\n"
        "SHADOW      500   3\n"
        "(3 rows)\n");
}

TEST_CASE("what there is to ask can be asked: DESCRIBE, SHOW, SUMMARIZE") {
  const TempDir folder;
  fill(folder);
  const auto described = query({"describe exchanges; -- all of them", source(folder), "-o", "csv"});
  INFO(described.err);
  CHECK(has_quietly(described.out, "\nstatus,BIGINT,"));
  CHECK(has_quietly(query({"SHOW TABLES", source(folder)}).out, "\nexchanges\n"));
  CHECK(query({"SUMMARIZE SELECT status FROM exchanges", source(folder)}).exit_code == 0);
}

TEST_CASE("a row of JSON has every column, whatever they are called") {
  const TempDir folder;
  fill(folder);
  const auto result = query({"SELECT 1 AS a, 2 AS b", source(folder), "-o", "json"});
  CHECK(result.out == "{\"a\":1,\"b\":2}\n");
}

TEST_CASE("both answers of a pair can be asked about together") {
  const TempDir folder;
  fill(folder);
  const auto result =
      query({"FROM pairs SELECT count(*) AS n, min(status) AS status WHERE copy_status <> status",
             source(folder), "-o", "json"});
  INFO(result.err);
  CHECK(result.out == "{\"n\":3,\"status\":200}\n");
}

TEST_CASE("values of JSON bodies are numbers to SQL") {
  const TempDir folder;
  fill(folder);
  const auto result = query({"SELECT sum((response_body->>'total')::INT) AS sum FROM exchanges "
                             "WHERE kind = 'PRIMARY' -- of all primaries",
                             source(folder), "-o", "csv"});
  INFO(result.err);
  CHECK(result.out == "sum\n435\n");
}

TEST_CASE("an answer goes to a file, and Parquet is read again") {
  const TempDir folder;
  fill(folder);
  const std::string file = (folder.path() / "exchanges.parquet").string();
  REQUIRE(query({"FROM exchanges", source(folder), "-o", "parquet", "--out", file}).exit_code == 0);
  const auto again = query({fmt::format("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM '{}'",
                                        file),
                            source(folder), "-o", "json"});
  INFO(again.err);
  CHECK(again.out == "{\"n\":60,\"ids\":60}\n");
}

TEST_CASE("what cannot be asked is told in one line") {
  const TempDir folder;
  fill(folder);
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"SELEC 1", source(folder)}, "syntax error"},
      {{"SELECT nothing FROM exchanges", source(folder)}, "\"nothing\""},
      {{"SELECT 1; SELECT 2", source(folder)}, "several statements"},
      {{"DROP VIEW exchanges", source(folder)}, "only statements that give rows"},
      {{"FROM exchanges", source(folder), "-o", "parquet"}, "--out FILE"},
      {{"FROM exchanges", "journal:" + (folder.path() / "absent").string()}, "absent"},
  };
  for (const auto& [arguments, part] : cases) {
    const auto result = query(arguments);
    INFO(arguments.front());
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(has(result.err, part));
    // What DuckDB can point at comes with the place and a caret.
    const bool pointed = has_quietly(result.err, "\nLINE 1: ");
    CHECK(std::ranges::count(result.err, '\n') == (pointed ? 3 : 1));
    CHECK(pointed == has_quietly(result.err, "^"));
  }
}

TEST_CASE("Ctrl-C ends a statement, with the exit code that says so") {
  const TempDir folder;
  fill(folder);
  const auto rows = folder.path() / "rows";
  REQUIRE(::mkfifo(rows.c_str(), 0600) == 0);
  const Descriptor reader(::open(rows.c_str(), O_RDONLY | O_NONBLOCK));
  Process command({seguectl_path(), "query", "SELECT range FROM range(1000000000000)",
                   source(folder), "-o", "csv"},
                  rows);
  const std::string begun = read_some(reader);
  command.signal(SIGINT);
  const Deadline deadline;
  while (!read_some(reader, deadline).empty()) {
  }
  CHECK(begun.starts_with("range\n"));
  CHECK(command.wait(deadline).exit_code == 130);
  CHECK(command.errors().empty());
}

TEST_CASE("every saved query runs by its name") {
  const TempDir folder;
  fill(folder);
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SEGUE_SOURCE_DIR "/deploy/queries")) {
    const auto result = query({"@" + entry.path().stem().string(), source(folder), "--param",
                               "since=9999 days", "--param", "account=user-7"});
    const bool takes_no_account = has_quietly(result.err, "has no parameter account");
    const auto again = takes_no_account ? query({"@" + entry.path().stem().string(), source(folder),
                                                 "--param", "since=9999 days"})
                                        : result;
    INFO(entry.path() << "\n" << again.err);
    CHECK(again.exit_code == 0);
    CHECK(has(again.out, " row"));
    ++count;
  }
  CHECK(count >= 8);
}

TEST_CASE("the list of saved queries has what they answer in one column, however long their names") {
  const TempDir queries;
  queries.write("brief.sql", "-- Says one.\nSELECT 1;\n");
  queries.write("a-name-that-is-longer-than-others.sql", "-- Says two.\n-- param of = x\nSELECT 2;\n");
  const auto listed = query({"@", "--queries", queries.path().string()});
  INFO(listed.err);
  CHECK(listed.out == "@a-name-that-is-longer-than-others  Says two.\n"
                      "    --param of=x\n"
                      "@brief                              Says one.\n");
}

TEST_CASE("a saved query says what it wants to be told, and what there is instead of it") {
  const TempDir folder;
  fill(folder);
  const auto listed = query({"@"});
  CHECK(has(listed.out, "@errors-by-route"));
  CHECK(has(listed.out, "--param account=..."));
  const auto without = query({"@what-an-account-got", source(folder)});
  CHECK(without.exit_code == 2);
  CHECK(has(without.err, "wants --param account=..."));
  const auto absent = query({"@what", source(folder)});
  CHECK(absent.exit_code == 2);
  CHECK(has(absent.err, "what-an-account-got"));
  const auto got = query({"@what-an-account-got", source(folder), "--param", "account=user-7",
                          "--param", "since=9999 days", "-o", "csv"});
  INFO(got.err);
  CHECK(std::ranges::count(got.out, '\n') == 31);
}

TEST_CASE("a recorded value cannot steer the terminal of who asks") {
  const TempDir folder;
  {
    ShadowedJournal journal(folder.path());
    journal.primary(1, {.body = "a\x1b[2Jb", .content_type = "text/plain"});
  }
  const auto result = query({"SELECT response_body FROM exchanges", source(folder)});
  INFO(result.err);
  CHECK(has(result.out, "a\\x1b[2Jb"));
}

}  // namespace
}  // namespace segue::test
