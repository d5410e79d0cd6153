// A journal is archived into one archive: another one is refused before it is made, also where the
// right one is not mounted, until somebody says on purpose that it is another from now on.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/archived_gateway.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using Targets = std::vector<std::string>;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// So many exchanges under `/name/`, by a gateway that has ended then.
Targets serve(const ArchivedFolder& folder, std::string_view name, unsigned exchanges) {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(all_to(backend.port()), folder.journal());
  RawClient client(gateway.port());
  Targets targets;
  for (unsigned n = 0; n < exchanges; ++n) {
    targets.push_back(fmt::format("/{}/{}", name, n));
    CHECK(client.get(targets.back()).status() == 200);
  }
  CHECK(gateway.stop().exit_code == 0);
  return targets;
}

std::vector<std::string> command_to(const ArchivedFolder& folder, const std::string& archive,
                                    const std::vector<std::string>& more = {}) {
  std::vector<std::string> command{seguectl_path(), "archive",
                                   "journal:" + folder.journal().string(), "--to", archive,
                                   "--staging", (folder.folder / "staging").string()};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

std::string another(const ArchivedFolder& folder) {
  return "archive:" + (folder.folder / "another").string();
}

void check_refused(const std::vector<std::string>& command, std::string_view says) {
  const CommandResult result = run_command(command);
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(has(result.err, says));
  CHECK(result.out.empty());
}

Targets targets_of(const std::string& archive) {
  const CommandResult result = run_command(
      {seguectl_path(), "query", "SELECT target FROM exchanges ORDER BY 1", archive, "-o", "csv"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  Targets targets;
  std::size_t from = result.out.find('\n') + 1;  // behind the head
  for (std::size_t to = 0; (to = result.out.find('\n', from)) != std::string::npos; from = to + 1)
    targets.push_back(result.out.substr(from, to - from));
  return targets;
}

Targets sorted(Targets targets) {
  std::ranges::sort(targets);
  return targets;
}

Targets both(const Targets& first, const Targets& second) {
  Targets all = first;
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

void check_clean(const std::string& archive) {
  const CommandResult result = run_command({seguectl_path(), "verify", archive, "--strict"});
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
}

TEST_CASE("a journal that has an archive is refused for a new one, and nothing is made") {
  const ArchivedFolder folder;
  const Targets first = serve(folder, "first", 5);
  archive_once(folder);
  const Targets second = serve(folder, "second", 5);
  for (const std::vector<std::string>& how :
       std::initializer_list<std::vector<std::string>>{{"--once"}, {}}) {
    check_refused(command_to(folder, another(folder), how), folder.archive());
    check_refused(command_to(folder, another(folder), how), "--switch-archive");
    CHECK_FALSE(fs::exists(folder.folder / "another"));
  }
  archive_once(folder);
  check_archived_once(folder, both(first, second));
}

TEST_CASE("a journal that has an archive is refused for another's") {
  const ArchivedFolder folder;
  serve(folder, "here", 5);
  archive_once(folder);
  const ArchivedFolder elsewhere;
  const Targets there = serve(elsewhere, "there", 5);
  archive_once(elsewhere);
  check_refused(command_to(folder, elsewhere.archive(), {"--once"}), folder.archive());
  check_archived_once(elsewhere, there);
}

TEST_CASE("an archive that was not mounted when its archiver started lacks nothing later") {
  const ArchivedFolder folder;
  const fs::path mounted = folder.folder / "archive";
  const Targets first = serve(folder, "first", 5);
  archive_once(folder);
  const Targets second = serve(folder, "second", 5);
  fs::rename(mounted, folder.folder / "disk");
  fs::create_directory(mounted);
  check_refused(command_to(folder, folder.archive(), {"--once"}), "is its disk mounted?");
  check_refused(command_to(folder, folder.archive()), "is its disk mounted?");
  CHECK(fs::is_empty(mounted));
  fs::remove(mounted);
  fs::rename(folder.folder / "disk", mounted);
  archive_once(folder);
  check_archived_once(folder, both(first, second));
  check_clean(folder.archive());
}

TEST_CASE("an archive that was moved is the same one") {
  const ArchivedFolder folder;
  const Targets first = serve(folder, "first", 5);
  archive_once(folder);
  fs::rename(folder.folder / "archive", folder.folder / "another");
  const CommandResult moved = run_command(command_to(folder, another(folder), {"--once"}));
  CHECK(moved.exit_code == 0);
  CHECK(has(moved.err, "copy"));
  CHECK_FALSE(has(run_command(command_to(folder, another(folder), {"--once"})).err, "copy"));
  check_refused(command_to(folder, folder.archive(), {"--once"}), another(folder));
  CHECK(targets_of(another(folder)) == sorted(first));
}

TEST_CASE("a source that is not there, or no journal, leaves no archive behind") {
  const ArchivedFolder folder;
  folder.folder.write("photos/holiday.jpg", "x");
  const auto at = [&](const char* name) { return "journal:" + (folder.folder / name).string(); };
  for (const std::string& source : {at("nowhere"), at("photos"), std::string("kafka://127.0.0.1:1/t")}) {
    const CommandResult result =
        run_command({seguectl_path(), "archive", source, "--to", folder.archive(), "--once",
                     "--timeout", "2"});
    INFO(result.err);
    CHECK(result.exit_code == (source.starts_with("kafka") ? 3 : 2));
    CHECK_FALSE(fs::exists(folder.folder / "archive"));
  }
}

TEST_CASE("after a switch the new archive begins behind the old one, and the old one is refused") {
  const ArchivedFolder folder;
  const Targets first = serve(folder, "first", 5);
  archive_once(folder);
  const Targets second = serve(folder, "second", 5);
  const auto switched = command_to(folder, another(folder), {"--once", "--switch-archive", "rest"});
  CHECK(run_command(switched).exit_code == 0);
  CHECK(targets_of(another(folder)) == sorted(second));
  CHECK(targets_of(folder.archive()) == sorted(first));
  check_refused(command_to(folder, folder.archive(), {"--once"}), another(folder));
  const Targets third = serve(folder, "third", 5);
  CHECK(run_command(switched).exit_code == 0);  // once more changes nothing
  CHECK(run_command(command_to(folder, another(folder), {"--once"})).exit_code == 0);
  CHECK(targets_of(another(folder)) == sorted(both(second, third)));
  check_clean(another(folder));
}

TEST_CASE("after a switch for all, the new archive has what the journal still holds") {
  const ArchivedFolder folder;
  const Targets first = serve(folder, "first", 5);
  archive_once(folder);
  fs::remove_all(folder.folder / "archive");
  const Targets second = serve(folder, "second", 5);
  CHECK(run_command(command_to(folder, folder.archive(), {"--once", "--switch-archive", "all"}))
            .exit_code == 0);
  check_archived_once(folder, both(first, second));
  check_clean(folder.archive());
}

TEST_CASE("a switch is for one run over a journal") {
  const ArchivedFolder folder;
  serve(folder, "first", 1);
  check_refused(command_to(folder, folder.archive(), {"--switch-archive", "rest"}), "--once");
  check_refused({seguectl_path(), "archive", "kafka://127.0.0.1:1/t", "--to", folder.archive(),
                 "--once", "--switch-archive", "rest"},
                "for journals");
  CHECK_FALSE(fs::exists(folder.folder / "archive"));
}

TEST_CASE("a service whose journal was switched to another archive says so and moves nothing on") {
  const ArchivedFolder folder;
  const Targets first = serve(folder, "first", 5);
  Process service(command_to(folder, folder.archive(), {"--flush-every", "100ms"}),
                  folder.folder / "out");
  const auto wait_for_line = [&](std::string_view text) {
    const Deadline deadline;
    while (const auto line = service.next_error_line(deadline))
      if (has(*line, text)) return;
    throw TestFailure(fmt::format("it never said {}, but: {}", text, service.errors()));
  };
  wait_for_line(" rows, ");
  CHECK(run_command(command_to(folder, another(folder), {"--once", "--switch-archive", "rest"}))
            .exit_code == 0);
  wait_for_line(another(folder));
  const Targets second = serve(folder, "second", 5);
  wait_for_line("it is tried again in");
  CHECK(run_command(command_to(folder, another(folder), {"--once"})).exit_code == 0);
  service.signal(SIGTERM);
  CHECK(service.wait().exit_code == 0);
  CHECK(targets_of(another(folder)) == sorted(second));
  CHECK(targets_of(folder.archive()) == sorted(first));
}

TEST_CASE("a journal of which nobody noted the archive takes the one that is given") {
  const ArchivedFolder folder;
  const Targets first = serve(folder, "first", 5);
  archive_once(folder);
  REQUIRE(fs::remove(folder.journal() / "archive.json"));
  archive_once(folder);
  CHECK(fs::exists(folder.journal() / "archive.json"));
  check_refused(command_to(folder, another(folder), {"--once"}), folder.archive());
  check_archived_once(folder, first);
}

}  // namespace
}  // namespace segue::test
