// seguectl archive as its users run it: a service that is told to end or killed, and what it says of
// a place where it cannot archive.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/e2e/archived_gateway.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> archive_command(const ArchivedFolder& folder,
                                         const std::vector<std::string>& more) {
  std::vector<std::string> command{seguectl_path(),
                                   "archive",
                                   "journal:" + folder.journal().string(),
                                   "--staging",
                                   (folder.folder / "staging").string()};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// Waits for a line on standard error in which `text` stands.
void wait_for_line(Process& process, std::string_view text) {
  const Deadline deadline;
  while (const auto line = process.next_error_line(deadline))
    if (line->find(text) != std::string::npos) return;
  throw TestFailure(fmt::format("it never said {}, but: {}", text, process.errors()));
}

// A gateway with some exchanges in its journal that has ended.
std::vector<std::string> served(const ArchivedFolder& folder, unsigned answers) {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(all_to(backend.port()), folder.journal());
  SteadyLoad load([&] { return Socket::connect(gateway.port()); }, 2, 1);
  load.wait_for_answers_of_each(answers);
  load.stop();
  CHECK(gateway.stop().exit_code == 0);
  return load.answered();
}

TEST_CASE("a service archives while a gateway serves, and ends cleanly when it is told") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  GatewayProcess gateway(all_to(backend.port()), folder.journal());
  SteadyLoad load([&] { return Socket::connect(gateway.port()); }, 2, 1);
  load.wait_for_answers_of_each(20);
  Process service(archive_command(folder, {"--to", folder.archive(), "--flush-every", "100ms"}),
                  folder.folder / "out");
  wait_for_line(service, " rows, ");
  load.wait_for_answers_of_each(40);
  load.stop();
  CHECK(gateway.stop().exit_code == 0);
  service.signal(SIGTERM);
  const ProcessEnd end = service.wait();
  INFO(service.errors());
  CHECK(end.exit_code == 0);
  CHECK(service.errors().find(" rows in ") != std::string::npos);
  archive_once(folder);
  check_archived_once(folder, load.answered());
}

TEST_CASE("two services over one journal, killed at random moments: every exchange once") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  GatewayProcess gateway(all_to(backend.port()), folder.journal());
  SteadyLoad load([&] { return Socket::connect(gateway.port()); }, 2, 1);
  const auto start = [&] {
    return std::make_unique<Process>(
        archive_command(folder, {"--to", folder.archive(), "--flush-every", "100ms",
                                 "--flush-rows", "50"}),
        folder.folder / "out");
  };
  const std::uint64_t seed = std::random_device{}();
  fmt::print(stderr, "seed {}\n", seed);
  std::mt19937_64 random(seed);
  std::array<std::unique_ptr<Process>, 2> services{start(), start()};
  for (unsigned round = 0; round < rounds(6); ++round) {
    ::poll(nullptr, 0, static_cast<int>(random() % 600));
    auto& service = services.at(random() % 2);
    service->signal(SIGKILL);
    CHECK(service->wait().signal == SIGKILL);
    service = start();
  }
  load.wait_for_answers_of_each(50);
  load.stop();
  CHECK(gateway.stop().exit_code == 0);
  CHECK(load.damage().empty());
  for (auto& service : services) {
    service->signal(SIGTERM);
    CHECK(service->wait().exit_code == 0);
  }
  archive_once(folder);
  check_archived_once(folder, load.answered());
}

TEST_CASE("a single run that is told to end before it is through says so, also by its exit code") {
  const ArchivedFolder folder;
  const auto answered = served(folder, 200);
  Process once(archive_command(folder, {"--to", folder.archive(), "--once", "--flush-rows", "1"}),
               folder.folder / "out");
  wait_for_line(once, " rows, ");
  once.signal(SIGTERM);
  CHECK(once.wait().exit_code == 2);
  CHECK(once.errors().find("told to end before it was through") != std::string::npos);
  archive_once(folder);
  check_archived_once(folder, answered);
}

TEST_CASE("an archiver says what it did in the file of --metrics, and does not begin without") {
  const ArchivedFolder folder;
  const auto answered = served(folder, 20);
  const fs::path file = folder.folder / "archiver.prom";
  const auto once = [&](const fs::path& metrics) {
    return run_command(archive_command(
        folder, {"--to", folder.archive(), "--once", "--metrics", metrics.string()}));
  };
  const CommandResult refused = once(folder.folder / "nowhere/archiver.prom");
  CHECK(refused.exit_code == 2);
  CHECK(refused.err == "seguectl: --metrics " + (folder.folder / "nowhere/archiver.prom").string() +
                           ": cannot be written: No such file or directory\n");
  const CommandResult archived = once(file);
  INFO(archived.err);
  CHECK(archived.exit_code == 0);
  const std::string text = read_whole_file(file);
  INFO(text);
  CHECK(text.find("\nsegue_archiver_rows_total 0\n") == std::string::npos);
  CHECK(text.find("\nsegue_archiver_untold_total 0\n") != std::string::npos);
  for (const auto& entry : fs::directory_iterator(folder.folder.path()))
    CHECK_FALSE(entry.path().filename().string().starts_with("archiver.prom."));
  check_archived_once(folder, answered);
}

TEST_CASE("a run says what it archives itself, not what others did before") {
  const ArchivedFolder folder;
  served(folder, 5);
  const auto command = archive_command(folder, {"--to", folder.archive(), "--once"});
  CHECK(run_command(command).err.find(" bytes: raw/") != std::string::npos);
  const CommandResult again = run_command(command);
  CHECK(again.err.find(" bytes: raw/") == std::string::npos);
  CHECK(again.err.find(": 0 rows in 0 claims") != std::string::npos);
}

// What an archiver leaves that dies behind its claims, of all that is in the archive.
void leave_open(const ArchivedFolder& folder) {
  std::vector<fs::path> gone;
  for (const auto& entry : fs::recursive_directory_iterator(folder.folder / "archive")) {
    const fs::path& path = entry.path();
    if (path.extension() == ".done" || path.extension() == ".parquet" ||
        path.filename() == "checkpoint.json")
      gone.push_back(path);
  }
  for (const fs::path& path : gone) fs::remove(path);
}

// The claims of an archive, but for their `.done` and `.placed`.
std::vector<fs::path> claims(const ArchivedFolder& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(folder.folder / "archive/_commits"))
    if (entry.path().extension() == ".json" && entry.path().stem().string().size() == 20)
      found.push_back(entry.path());
  return found;
}

std::size_t open_claims(const ArchivedFolder& folder) {
  return static_cast<std::size_t>(std::ranges::count_if(claims(folder), [](const fs::path& claim) {
    return !fs::exists(claim.string() + ".done");
  }));
}

// As if they had been made long ago.
void age(const std::vector<fs::path>& claims) {
  for (const fs::path& path : claims) {
    std::ifstream file(path);
    auto claim = boost::json::parse(file).as_object();
    claim["claimed_at"] = 1;
    std::ofstream(path, std::ios::trunc) << boost::json::serialize(claim);
  }
}

TEST_CASE("open claims of a run that is gone are ended by --give-up alone, and count as lost") {
  const ArchivedFolder folder;
  served(folder, 5);
  archive_once(folder);
  leave_open(folder);
  const auto left = claims(folder);
  REQUIRE_FALSE(left.empty());
  for (const auto& entry : fs::directory_iterator(folder.journal())) fs::remove_all(entry.path());
  const auto give_up = [&] {
    return run_command(
        archive_command(folder, {"--to", folder.archive(), "--once", "--give-up"}));
  };
  // A folder without a run is one that may come back.
  age(left);
  CHECK(give_up().exit_code == 0);
  CHECK(open_claims(folder) == left.size());

  const auto answered = served(folder, 5);
  archive_once(folder);
  CHECK(open_claims(folder) == left.size());
  const CommandResult result = give_up();
  INFO(result.err);
  CHECK(result.exit_code == 0);
  CHECK(result.err.find("claims without .done are ended") != std::string::npos);
  CHECK(result.err.find("rows fewer than were claimed") != std::string::npos);
  CHECK(open_claims(folder) == 0);
  check_archived_once(folder, answered);
  CHECK(run_command({seguectl_path(), "verify", folder.archive()}).exit_code == 0);
  const CommandResult strict = run_command({seguectl_path(), "verify", folder.archive(), "--strict"});
  CHECK(strict.exit_code == 1);
  CHECK(strict.out.find("the source had them no more") != std::string::npos);
}

TEST_CASE("giving up leaves a claim that is not an hour old to an archiver that may be at it") {
  const ArchivedFolder folder;
  served(folder, 5);
  archive_once(folder);
  leave_open(folder);
  for (const auto& entry : fs::directory_iterator(folder.journal())) fs::remove_all(entry.path());
  served(folder, 5);
  const auto left = claims(folder);
  const CommandResult result =
      run_command(archive_command(folder, {"--to", folder.archive(), "--once", "--give-up"}));
  CHECK(result.exit_code == 0);
  CHECK(result.err.find("is not an hour old") != std::string::npos);
  CHECK(open_claims(folder) == left.size());
}

TEST_CASE("a service waits for a store that is away, and archives when it is there") {
  const ArchivedFolder folder;
  const auto answered = served(folder, 20);
  const Versitygw server;
  const ConfigText text = all_to(closed_port()).with("archive", fmt::format(
      "{{ to: \"archive:s3://shop/a\", flush: {{ every: 100ms }}, s3: {{ endpoint: \"{}\", "
      "credentials: {{ file: {} }} }} }}",
      server.url(), server.credentials_file().string()));
  const auto config = folder.folder.write("segue.yaml", text.yaml(folder.journal()));
  Process service({seguectl_path(), "archive", "-c", config.string()}, folder.folder / "out");
  wait_for_line(service, "it is tried again in");
  server.make_bucket("shop");
  wait_for_line(service, " rows, ");
  service.signal(SIGINT);
  CHECK(service.wait().exit_code == 0);
  bool found = false;
  for (const auto& entry : fs::recursive_directory_iterator(server.objects("shop")))
    found = found || entry.path().extension() == ".parquet";
  CHECK(found);
}

TEST_CASE("an archive that goes away under a service waits until it is back, with every exchange once") {
  const ArchivedFolder folder;
  ScriptedBackend backend(echo);
  GatewayProcess gateway(all_to(backend.port()), folder.journal());
  SteadyLoad load([&] { return Socket::connect(gateway.port()); }, 2, 1);
  Process service(archive_command(folder, {"--to", folder.archive(), "--flush-every", "100ms"}),
                  folder.folder / "out");
  wait_for_line(service, " rows, ");
  fs::rename(folder.folder / "archive", folder.folder / "unmounted");
  wait_for_line(service, "is its disk mounted?");
  load.wait_for_answers_of_each(20);
  fs::remove_all(folder.folder / "archive");
  fs::rename(folder.folder / "unmounted", folder.folder / "archive");
  wait_for_line(service, " rows, ");
  load.stop();
  CHECK(gateway.stop().exit_code == 0);
  service.signal(SIGTERM);
  CHECK(service.wait().exit_code == 0);
  archive_once(folder);
  check_archived_once(folder, load.answered());
  CHECK(run_command({seguectl_path(), "verify", folder.archive()}).exit_code == 0);
}

TEST_CASE("what cannot be archived, or not there, is one line that says what to do, and exit 2") {
  const ArchivedFolder folder;
  served(folder, 5);
  folder.folder.write("photos/holiday.jpg", "x");
  folder.folder.write("file", "x");
  folder.folder.write("newer/_archive.json", R"({"format_version":7,"id":"x"})");
  const auto in = [&](const char* name) { return "archive:" + (folder.folder / name).string(); };
  struct Case {
    std::vector<std::string> arguments;
    const char* says;
  };
  for (const Case& each : std::initializer_list<Case>{
           {{"--to", "s3://bucket"}, "write archive:DIR or archive:s3://BUCKET/PREFIX"},
           {{"--to", in("photos")}, "name an empty place"},
           {{"--to", in("newer")}, "use a newer one"},
           {{"--to", in("file/below")}, "cannot"},
           {{"--to", folder.archive(), "--staging", (folder.folder / "file").string()}, "--staging"},
           {{"--to", folder.archive(), "--new-epoch"}, "for topics"},
           {{"--to", folder.archive(), "--flush-rows", "0"}, "--flush-rows"},
           {{"--to", folder.archive(), "--flush-every", "soon"}, "100ms to 24h"},
           {{}, "--to"}}) {
    auto command = archive_command(folder, each.arguments);
    command.push_back("--once");
    const CommandResult result = run_command(command);
    INFO(fmt::format("{}: {}", fmt::join(each.arguments, " "), result.err));
    CHECK(result.exit_code == 2);
    CHECK(result.err.find(each.says) != std::string::npos);
    CHECK(result.out.empty());
  }
  const CommandResult again = run_command({seguectl_path(), "archive", folder.archive(), "--to",
                                           folder.archive(), "--once"});
  CHECK(again.exit_code == 2);
  const CommandResult nowhere =
      run_command({seguectl_path(), "archive", "journal:/nowhere", "--to", folder.archive(),
                   "--once"});
  CHECK(nowhere.exit_code == 2);
  CHECK(nowhere.err.find("/nowhere") != std::string::npos);
}

TEST_CASE("a disk that is full ends --once with one line, and what is there later is whole") {
  const SmallDisk disk(3 << 20);
  const ArchivedFolder folder;
  std::mt19937_64 random(7);
  ScriptedBackend backend([&random](BackendConnection& connection) {
    while (connection.request()) {
      std::string body;
      for (int i = 0; i < 30'000; ++i) body += static_cast<char>('0' + random() % 75);
      connection.send(response_with(200, body));
    }
  });
  const std::string large = fmt::format("{{ journal: {{ dir: {}, max_size: 64MiB }} }}",
                                        folder.journal().string());
  {
    GatewayProcess gateway(
        all_to(backend.port()).with("recorder", large).with("cores", "{ count: 1 }"),
        folder.journal());
    RawClient client(gateway.port());
    for (int i = 0; i < 200; ++i) CHECK(client.get(fmt::format("/{}", i)).status() == 200);
    CHECK(gateway.stop().exit_code == 0);
  }
  const std::string full = "archive:" + (disk.path() / "archive").string();
  const CommandResult result = run_command(archive_command(folder, {"--to", full, "--once"}));
  INFO(result.err);
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("No space left on device") != std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(disk.path() / "archive"))
    CHECK(entry.path().extension() != ".parquet");
}

}  // namespace
}  // namespace segue::test
