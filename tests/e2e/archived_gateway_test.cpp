// segue serve --archive, and seguectl archive beside a gateway: what is served is in the archive,
// each exchange once, whoever is killed when.

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/archived_gateway.hpp"
#include "tests/e2e/restarted.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

ConfigText archived_to(const ArchivedFolder& folder, std::uint16_t port) {
  return all_to(port).with("archive", folder.settings());
}

SteadyLoad::Connect clients_of(std::uint16_t port) {
  return [port] { return Socket::connect(port); };
}

TEST_CASE("what a gateway served is in the archive when it has ended, each exchange once") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
  SteadyLoad load(clients_of(gateway.port()), 2, 1);
  load.wait_for_answers_of_each(100);
  CHECK(gateway.metric("segue_archiver_up") == 1);
  gateway.wait_for_metric("segue_archiver_claims_total", {}, 1);
  load.stop();
  CHECK(gateway.stop().exit_code == 0);
  CHECK(load.damage().empty());
  check_archived_once(folder, load.answered());
}

TEST_CASE("an archiver that is killed is started again, and nothing is missing or there twice") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
  SteadyLoad load(clients_of(gateway.port()), 2, 1);
  for (unsigned round = 1; round <= rounds(2); ++round) {
    load.wait_for_answers_of_each(50);
    const pid_t archiver = only_child_of(gateway.process().pid());
    REQUIRE(::kill(archiver, SIGKILL) == 0);
    gateway.wait_for_metric("segue_archiver_restarts_total", {}, round);
  }
  load.stop();
  CHECK(gateway.stop().exit_code == 0);
  CHECK(load.damage().empty());
  check_archived_once(folder, load.answered());
}

TEST_CASE("a gateway that is killed takes its archiver along; the next one archives what it left") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  std::vector<std::string> answered;
  {
    GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
    RawClient client(gateway.port());
    for (unsigned n = 0; n < 200; ++n) {
      const std::string target = fmt::format("/first/{}", n);
      CHECK(client.get(target).status() == 200);
      answered.push_back(target);
    }
    const pid_t archiver = only_child_of(gateway.process().pid());
    gateway.kill();
    wait_until_gone(archiver);
  }
  GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
  RawClient client(gateway.port());
  CHECK(client.get("/second").status() == 200);
  answered.push_back("/second");
  CHECK(gateway.stop().exit_code == 0);
  check_archived_once(folder, answered);
}

TEST_CASE("a take-over leaves one archiver, and the archive has what both processes served") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  GatewayProcess old(archived_to(folder, backend.port()), folder.journal(), archiving());
  const pid_t former = only_child_of(old.process().pid());
  SteadyLoad load(clients_of(old.port()), 2, 1);
  load.wait_for_answers_of_each(50);
  GatewayProcess fresh(archived_to(folder, backend.port()), folder.journal(),
                       archiving({"--take-over"}));
  wait_until_gone(former);
  load.wait_for_answers_of_each(50);
  load.stop();
  CHECK(old.process().wait().exit_code == 0);
  only_child_of(fresh.process().pid());
  CHECK(fresh.stop().exit_code == 0);
  CHECK(load.damage().empty());
  check_archived_once(folder, load.answered());
}

TEST_CASE("a gateway whose archive is on a disk that cannot be written serves on, and says why") {
  const ArchivedFolder folder;
  folder.folder.write("archive", "a file where a folder should be");
  ScriptedBackend backend(echo);
  GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
  RawClient client(gateway.port());
  for (unsigned n = 0; n < 20; ++n) CHECK(client.get(fmt::format("/{}", n)).status() == 200);
  CHECK(gateway.stop().exit_code == 0);
  CHECK(recorded("journal:" + folder.journal().string()).size() == 20);
  CHECK(gateway.process().errors().find("archive") != std::string::npos);
}

TEST_CASE("a gateway whose archive is not mounted serves on, says so, and begins no new one") {
  const ArchivedFolder folder;
  const fs::path mounted = folder.folder / "archive";
  ScriptedBackend backend(echo);
  std::vector<std::string> answered;
  const auto get = [&](const GatewayProcess& gateway, const std::string& target) {
    CHECK(RawClient(gateway.port()).get(target).status() == 200);
    answered.push_back(target);
  };
  {
    GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
    get(gateway, "/first");
    CHECK(gateway.stop().exit_code == 0);
  }
  fs::rename(mounted, folder.folder / "disk");
  fs::create_directory(mounted);
  {
    GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
    gateway.wait_for_metric("segue_archiver_restarts_total", {}, 1);
    get(gateway, "/second");
    CHECK(gateway.stop().exit_code == 0);
    CHECK(gateway.process().errors().find("is its disk mounted?") != std::string::npos);
  }
  CHECK(fs::is_empty(mounted));
  fs::remove(mounted);
  fs::rename(folder.folder / "disk", mounted);
  GatewayProcess gateway(archived_to(folder, backend.port()), folder.journal(), archiving());
  CHECK(gateway.stop().exit_code == 0);
  check_archived_once(folder, answered);
}

TEST_CASE("an archiver beside is refused with a configuration that comes by standard input") {
  const CommandResult result = run_command(
      {"/bin/sh", "-c", "exec \"$0\" serve -c - --archive </dev/null", segue_path()});
  CHECK(result.exit_code == 2);
}

TEST_CASE("an archiver beside needs seguectl beside segue, and is refused with what to do") {
  const TempDir alone;
  std::filesystem::copy_file(segue_path(), alone / "segue");
  const auto file = alone.write("segue.yaml", all_to(1).yaml(alone / "journal"));
  const CommandResult result =
      run_command({(alone / "segue").string(), "serve", "-c", file.string(), "--archive"});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("--archive needs seguectl beside segue") != std::string::npos);
}

TEST_CASE("a service that is run by hand registers: what it has not read stays until it has") {
  const ArchivedFolder folder;
  ScriptedBackend backend(answer_always(response_with(200, std::string(4'000, 'x'))));
  const std::string ring = fmt::format(
      "{{ journal: {{ dir: {}, max_size: 4MiB, segment: 256KiB }} }}", folder.journal().string());
  GatewayProcess gateway(
      all_to(backend.port()).with("recorder", ring).with("cores", "{ count: 1 }")
          .with("defaults", "{ record: { bodies: { max: 8KiB }, redact: { headers: [cookie] } } }"),
      folder.journal());
  RawClient client(gateway.port());
  std::vector<std::string> answered;
  const auto post = [&](unsigned n) {
    const std::string target = fmt::format("/{}", n);
    const int status = client
                           .exchange(fmt::format("POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: "
                                                 "2\r\n\r\nhi",
                                                 target))
                           .status();
    if (status == 200) answered.push_back(target);
    return status;
  };
  unsigned n = 0;
  while (n < 20) CHECK(post(n++) == 200);
  archive_once(folder);  // which may never come again: nothing is kept for it
  CHECK_FALSE(fs::exists(folder.journal() / "consumers"));
  Process service({seguectl_path(), "archive", "journal:" + folder.journal().string(), "--to",
                   folder.archive()},
                  folder.folder / "out");
  const Deadline registered;
  while (!fs::exists(folder.journal() / "consumers" / "archiver"))
    REQUIRE(registered.left() > 0);
  service.signal(SIGTERM);
  CHECK(service.wait().exit_code == 0);
  check_archived_once(folder, answered);
  // More than the ring has room for: it is refused, not overwritten.
  int status = 200;
  while (status == 200 && n < 5'000) status = post(n++);
  CHECK(status == 503);
  archive_once(folder);
  const Deadline deadline;
  while (post(n++) != 200) REQUIRE(deadline.left() > 0);
  CHECK(gateway.metric("segue_journal_overwritten_total") == 0);
  CHECK(gateway.stop().exit_code == 0);
  archive_once(folder);
  std::vector<std::string> archived = archived_targets(folder);
  std::erase_if(archived, [&](const std::string& target) {  // those that were refused
    return std::find(answered.begin(), answered.end(), target) == answered.end();
  });
  CHECK(archived.size() == answered.size());
}

}  // namespace
}  // namespace segue::test
