// Commands over an archive in S3 that is away, refuses, or says nothing while they are told to end.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/cli/comparing_command.hpp"
#include "tests/cli/shadowed_journal.hpp"
#include "tests/support/faulty_link.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArchive = "archive:s3://shop/exchanges";

// A configuration with an archive at an endpoint; nothing of the rest of it is there.
fs::path configured(const TempDir& folder, const std::string& endpoint,
                    const fs::path& credentials) {
  return folder.write(
      "segue.yaml",
      fmt::format("version: 1\nlisteners: {{ public: {{ address: \"127.0.0.1:1\" }} }}\n"
                  "backends: {{ legacy: {{ endpoints: [\"127.0.0.1:2\"] }} }}\n"
                  "routes: {{ all: {{ match: {{ prefix: / }}, to: legacy, record: none }} }}\n"
                  "recorder: {{ journal: {{ dir: \"{}\" }} }}\n"
                  "archive: {{ from: journal, to: \"{}\", s3: {{ endpoint: \"{}\", "
                  "credentials: {{ file: \"{}\" }} }} }}\n",
                  (folder / "journal").string(), kArchive, endpoint, credentials.string()));
}

std::vector<std::string> seguectl(const std::vector<std::string>& arguments,
                                  const fs::path& config) {
  std::vector<std::string> command{seguectl_path()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.insert(command.end(), {"-c", config.string()});
  return command;
}

// An archive of some pairs in S3, and the way there, which can fail.
class FarArchive {
 public:
  FarArchive() {
    server_.make_bucket("shop");
    {
      ShadowedJournal journal(folder_ / "journal");
      for (std::uint64_t n = 0; n < 30; ++n)
        journal.pair(n, {.body = fmt::format(R"({{"total":{}}})", n)},
                     {.body = fmt::format(R"({{"total":{}}})", n + 1)});
    }
    const CommandResult archived =
        run_command(seguectl({"archive", journal(), "--once"}, config()));
    if (archived.exit_code != 0) throw TestFailure(archived.err);
  }
  std::string journal() const { return "journal:" + (folder_ / "journal").string(); }
  fs::path config() const {
    return configured(folder_, link.url(), server_.credentials_file());
  }
  fs::path out() const { return folder_ / "out"; }

 private:
  TempDir folder_;
  Versitygw server_;

 public:
  FaultyLink link{server_.port()};
};

struct Waiting {
  std::vector<std::string> arguments;
  const char* method;
  const char* part;  // of the target that is not answered
  int signal = SIGINT;
};

// Says what it says on standard error, once it has ended as it should.
std::string told_to_end(FarArchive& archive, const Waiting& waiting) {
  INFO(fmt::format("{} ({}), signal {}", fmt::join(waiting.arguments, " "), waiting.part,
                   waiting.signal));
  archive.link.plan(waiting.method, waiting.part, Fault::stalled);
  Process command(seguectl(waiting.arguments, archive.config()), archive.out());
  archive.link.wait_until_met();
  command.signal(waiting.signal);
  CHECK(command.wait().exit_code == (waiting.signal == SIGINT ? 130 : 2));
  return command.errors();
}

TEST_CASE("what reads an archive does not wait for S3 when it is told to end") {
  FarArchive archive;
  const std::string id = primary_id(3).text();
  for (const Waiting& each : std::initializer_list<Waiting>{
           {{"cat", kArchive}, "GET", "list-type"},
           {{"cat", kArchive}, "GET", ".parquet"},
           {{"cat", kArchive}, "GET", ".parquet", SIGTERM},
           {{"show", id, kArchive}, "GET", ".parquet"},
           {{"tail", kArchive}, "GET", ".parquet"},
           {{"tail", "-f", kArchive}, "GET", ".parquet"},
           {{"compare", kArchive}, "GET", ".parquet"},
           {{"compare", "--pair", id, kArchive}, "GET", ".parquet"},
           {{"query", "FROM exchanges", kArchive}, "GET", "list-type"},
           {{"query", "SELECT max(target) FROM exchanges", kArchive}, "GET", ".parquet", SIGTERM}})
    CHECK(told_to_end(archive, each) ==
          (each.signal == SIGINT ? "" : "seguectl: it was told to end before it was through\n"));
}

TEST_CASE("what writes into an archive does not wait for S3 when it is told to end") {
  FarArchive archive;
  const std::vector<std::string> elsewhere{"archive", archive.journal(), "--to",
                                           "archive:s3://shop/another", "--once",
                                           "--switch-archive", "all"};
  for (const Waiting& each : std::initializer_list<Waiting>{
           {{"compare", "--store", kArchive, archive.journal()}, "GET", "list-type"},
           {{"archive", archive.journal(), "--once"}, "GET", "list-type"},
           {{"archive", archive.journal(), "--once"}, "GET", "list-type", SIGTERM},
           {elsewhere, "PUT", "tmp-probe", SIGTERM}}) {
    const std::string said = told_to_end(archive, each);
    CHECK(std::ranges::count(said, '\n') == (each.arguments.front() == "archive" ? 1 : 0));
  }
}

TEST_CASE("a journal that is archived into S3 is refused for another prefix, where nothing is made") {
  const FarArchive archive;
  const auto into = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"archive", archive.journal(), "--to",
                                       "archive:s3://shop/another", "--once"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_command(seguectl(arguments, archive.config()));
  };
  for (int i = 0; i < 2; ++i) {
    const CommandResult refused = into({});
    CHECK(refused.exit_code == 2);
    CHECK(has(refused.err, kArchive));
    CHECK(has(refused.err, "there is none at archive:s3://shop/another"));
  }
  CHECK(into({"--switch-archive", "rest"}).exit_code == 0);
  CHECK(has(run_command(seguectl({"archive", archive.journal(), "--once"}, archive.config())).err,
            "archive:s3://shop/another"));
}

TEST_CASE("a comparison that is told to end reports though what it found cannot be stored") {
  FarArchive archive;
  for (const bool follow : {true, false}) {
    std::vector<std::string> arguments{"compare", "--store", kArchive, archive.journal()};
    if (follow) arguments.emplace_back("--follow");
    archive.link.plan("PUT", "/comparisons/", Fault::stalled);
    Process command(seguectl(arguments, archive.config()), archive.out());
    archive.link.wait_until_met();
    command.signal(SIGINT);
    CHECK(command.wait().exit_code == 130);
    CHECK(has(command.errors(), "is not stored"));
    CHECK(has(read_whole_file(archive.out()), "search-read"));
  }
}

TEST_CASE("query says in one line why it cannot be had from S3, with exit 3") {
  const TempDir folder;
  const auto wrong = folder.write("wrong", "segue-test no-such-secret\n");
  const auto unknown = folder.write("unknown", "nobody no-such-secret\n");
  const Versitygw server;
  const ScriptedBackend late(answer_always(response_with(
      403, "<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message></Error>",
      "Date: Sat, 21 Nov 2015 09:00:00 GMT\r\n")));
  struct Case {
    std::string endpoint;
    fs::path credentials;
    const char* says;
  };
  const std::string away = fmt::format("http://127.0.0.1:{}", closed_port());
  for (const Case& each : std::initializer_list<Case>{
           {away, server.credentials_file(), "check archive.s3.endpoint, and whether"},
           {server.url(), server.credentials_file(), "there is no bucket 'shop': make it"},
           {server.url(), wrong, "the secret is not that of access key 'segue-test'"},
           {server.url(), unknown, "it knows no access key 'nobody'"},
           {fmt::format("http://127.0.0.1:{}", late.port()), server.credentials_file(),
            "s ahead of the server's: set it right (NTP)"}}) {
    const CommandResult result = run_command(seguectl(
        {"query", "SELECT count(*) FROM exchanges"},
        configured(folder, each.endpoint, each.credentials)));
    INFO(result.err);
    CHECK(result.exit_code == 3);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with(fmt::format("seguectl: {}: ", kArchive)));
    CHECK(std::ranges::count(result.err, '\n') == 1);
    CHECK(has(result.err, each.says));
  }
}

TEST_CASE("query says in one line that S3 went away in the middle, with exit 3") {
  FarArchive archive;
  archive.link.plan("GET", ".parquet", Fault::server_error, 1'000);
  const CommandResult result =
      run_command(seguectl({"query", "SELECT count(target) FROM exchanges"}, archive.config()));
  INFO(result.err);
  CHECK(result.exit_code == 3);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(has(result.err, "500 InternalError"));
}

}  // namespace
}  // namespace segue::test
