// One process takes over from another: what clients see of it, and what is on record.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>

#include "tests/e2e/restarted.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kAnswersBetween = 20;  // of each client, before anything else happens

void check_nothing_was_lost(SteadyLoad& load, const std::string& journal) {
  load.stop();
  for (const auto& line : load.damage()) UNSCOPED_INFO(line);
  CHECK(load.damage().empty());
  check_recorded_once(journal, load.answered());
}

TEST_CASE("a load across take-overs: every answer is whole, nothing is reset, all is on record once") {
  ScriptedBackend backend(echo);
  const TempDir folder;
  auto config = all_to(backend.port()).with("drain", "{ delay: 1h, timeout: 1h }");
  auto now = std::make_unique<GatewayProcess>(config, folder / "journal");
  const std::uint16_t port = now->port();
  SteadyLoad load([port] { return Socket::connect(port); }, 3, 2);
  for (unsigned round = 0; round < rounds(2); ++round) {
    load.wait_for_answers_of_each(kAnswersBetween);
    auto next = std::make_unique<GatewayProcess>(config, folder / "journal", take_over());
    REQUIRE(next->port() == port);
    CHECK(now->process().wait().exit_code == 0);
    now = std::move(next);
  }
  load.wait_for_answers_of_each(kAnswersBetween);
  load.stop();
  CHECK(load.sent_again() == 0);
  now->process().signal(SIGTERM);
  wait_for_line(*now, "draining");
  CHECK(now->stop().exit_code == 0);  // without the delay, which no take-over has waited for
  check_nothing_was_lost(load, now->journal());
}

TEST_CASE("a load across take-overs with other numbers of cores loses nothing") {
  ScriptedBackend backend(echo);
  const TempDir folder;
  auto config = all_to(backend.port()).with("drain", "{ delay: 0s, timeout: 1h }");
  auto now = std::make_unique<GatewayProcess>(config.with("cores", "{ count: 1 }"),
                                              folder / "journal");
  const std::uint16_t port = now->port();
  SteadyLoad load([port] { return Socket::connect(port); }, 2, 2);
  for (const int cores : {3, 2}) {
    load.wait_for_answers_of_each(kAnswersBetween);
    config.with("cores", fmt::format("{{ count: {} }}", cores));
    auto next = std::make_unique<GatewayProcess>(config, folder / "journal", take_over());
    CHECK(now->process().wait().exit_code == 0);
    now = std::move(next);
  }
  load.wait_for_answers_of_each(kAnswersBetween);
  load.stop();
  CHECK(now->stop().exit_code == 0);
  check_nothing_was_lost(load, now->journal());
}

TEST_CASE("a load on a Unix socket across a take-over loses nothing, and the file stays") {
  ScriptedBackend backend(echo);
  const TempDir folder;
  const auto listeners = fmt::format("{{ public: {{ address: \"unix:{0}\" }}, probe: {{ address: "
                                     "\"unix:{1}\" }} }}",
                                     (folder / "s").string(), (folder / "p").string());
  const auto config = all_to(backend.port()).with("listeners", listeners);
  GatewayProcess first(config, folder / "journal");
  SteadyLoad load([&] { return Socket::connect(folder / "s"); }, 2, 2);
  load.wait_for_answers_of_each(kAnswersBetween);
  GatewayProcess second(config, folder / "journal", take_over());
  CHECK(first.process().wait().exit_code == 0);
  CHECK(fs::exists(folder / "s"));
  RawClient probe(folder / "p");
  CHECK(probe.get("/readyz", "Connection: close\r\n").status() == 200);
  load.wait_for_answers_of_each(kAnswersBetween);
  load.stop();
  CHECK(second.stop().exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "s"));
  CHECK_FALSE(fs::exists(folder / "p"));
  check_nothing_was_lost(load, second.journal());
}

TEST_CASE("the file of a Unix socket that is not configured any more goes with the take-over") {
  const TempDir folder;
  const auto listeners = [&](std::string_view more) {
    return fmt::format("{{ public: {{ address: \"127.0.0.1:0\" }}, {} probe: {{ address: "
                       "\"127.0.0.1:0\" }} }}",
                       more);
  };
  const auto local = fmt::format("local: {{ address: \"unix:{}\" }},", (folder / "s").string());
  auto config = all_to(closed_port());
  GatewayProcess first(config.with("listeners", listeners(local)), folder / "journal");
  REQUIRE(fs::exists(folder / "s"));
  GatewayProcess second(config.with("listeners", listeners("")), folder / "journal", take_over());
  CHECK(first.process().wait().exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "s"));
}

TEST_CASE("what the old process has begun is finished there, and its idle clients are not cut") {
  Event go_on;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->target() == "/slow") go_on.wait();
      connection.send(response_with(200, "x"));
    }
  });
  const TempDir folder;
  const auto config = all_to(backend.port()).with("drain", "{ delay: 0s, timeout: 1h }");
  GatewayProcess first(config, folder / "journal");
  RawClient idle(first.port());
  idle.get("/idle");
  RawClient busy(first.port());
  busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(2);
  GatewayProcess second(config, folder / "journal", take_over());
  wait_for_line(first, "process");
  CHECK_FALSE(idle.socket().readable_now());
  const auto last = idle.get("/last");
  CHECK(last.body == "x");
  CHECK(last.field("connection") == "close");
  CHECK(idle.reader().wait_for_end() == Received::end);
  idle.socket().close();
  go_on.set();
  const auto slow = busy.response();
  CHECK(slow.body == "x");
  CHECK(slow.field("connection") == "close");
  busy.socket().close();
  CHECK(first.process().wait().exit_code == 0);
  RawClient client(second.port());
  CHECK(client.get("/new").body == "x");
  check_recorded_once(second.journal(), {"/idle", "/slow", "/last", "/new"});
}

TEST_CASE("a client that stays idle until drain.timeout after a take-over is closed, not reset") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto config = all_to(backend.port()).with("drain", "{ delay: 1h, timeout: 100ms }");
  GatewayProcess first(config, folder / "journal");
  RawClient idle(first.port());
  idle.get("/");
  GatewayProcess second(config, folder / "journal", take_over());
  CHECK(idle.reader().wait_for_end() == Received::end);
  CHECK(first.process().wait().exit_code == 0);
}

TEST_CASE("a request that crosses the end of an idle connection after a take-over meets no reset") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto config = all_to(backend.port()).with("drain", "{ delay: 0s, timeout: 4s }");
  GatewayProcess first(config, folder / "journal");
  RawClient idle(first.port());
  idle.get("/");
  GatewayProcess second(config, folder / "journal", take_over());
  REQUIRE(idle.reader().wait_for_end() == Received::end);
  idle.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(idle.reader().wait_for_end() == Received::end);
  idle.socket().close();
  CHECK(first.process().wait().exit_code == 0);
}

TEST_CASE("probes are answered by the process that takes over") {
  const TempDir folder;
  const auto config = all_to(closed_port());
  GatewayProcess first(config, folder / "journal");
  RawClient kept(first.port("probe"));
  CHECK(kept.get("/readyz").status() == 200);
  GatewayProcess second(config, folder / "journal", take_over());
  REQUIRE(second.port("probe") == first.port("probe"));
  CHECK(second.metric("segue_build_info") == 1);
  CHECK(first.process().wait().exit_code == 0);
}

TEST_CASE("addresses that are new are bound, those that are not configured any more are closed") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto listeners = [](std::string_view name) {
    return fmt::format("{{ public: {{ address: \"127.0.0.1:0\" }}, {}: {{ address: "
                       "\"127.0.0.1:0\" }}, probe: {{ address: \"127.0.0.1:0\" }} }}",
                       name);
  };
  auto config = all_to(backend.port());
  GatewayProcess first(config.with("listeners", listeners("before")), folder / "journal");
  GatewayProcess second(config.with("listeners", listeners("after")), folder / "journal",
                        take_over());
  CHECK(first.process().wait().exit_code == 0);
  CHECK(second.port() == first.port());
  RawClient client(second.port("after"));
  CHECK(client.get("/").body == "x");
  CHECK_THROWS_AS(Socket::connect(first.port("before")), TestFailure);
}

TEST_CASE("with nobody to take over from the gateway starts and says so") {
  GatewayProcess gateway(all_to(closed_port()), std::nullopt, take_over());
  CHECK(gateway.process().errors().find("no process to take over from") != std::string::npos);
}

TEST_CASE("an address in use names the way out, and nothing happens to who uses it") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  GatewayProcess first(all_to(backend.port()), folder / "journal");
  const auto file = folder.write(
      "segue.yaml", all_to(closed_port())
                        .with("listeners",
                              fmt::format("{{ public: {{ address: \"127.0.0.1:{}\" }} }}",
                                          first.port()))
                        .yaml(folder / "journal"));
  const auto result = run_command({segue_path(), "serve", "-c", file.string()});
  CHECK(result.exit_code == 2);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.find("--take-over") != std::string::npos);
  RawClient client(first.port());
  CHECK(client.get("/").body == "x");
}

TEST_CASE("an address that overlaps the old one's cannot be taken over, which is said") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  GatewayProcess first(all_to(backend.port()), folder / "journal");
  const auto file = folder.write(
      "segue.yaml",
      all_to(closed_port())
          .with("listeners",
                fmt::format("{{ public: {{ address: \"0.0.0.0:{}\" }} }}", first.port()))
          .yaml(folder / "journal"));
  const auto result = run_command({segue_path(), "serve", "-c", file.string(), "--take-over"});
  CHECK(result.exit_code == 2);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.find("overlaps (0.0.0.0 for 127.0.0.1)") != std::string::npos);
  RawClient client(first.port());
  CHECK(client.get("/").body == "x");
}

TEST_CASE("a service manager is told who serves, and of the end") {
  const TempDir folder;
  NotifySocket manager(folder / "notify");
  const auto config = all_to(closed_port());
  GatewayProcess first(config, folder / "journal", manager.told());
  CHECK(manager.next() == fmt::format("READY=1\nMAINPID={}", first.process().pid()));
  GatewayProcess second(config, folder / "journal", manager.told(take_over()));
  CHECK(manager.next() == fmt::format("READY=1\nMAINPID={}", second.process().pid()));
  CHECK(first.process().wait().exit_code == 0);
  CHECK(second.stop().exit_code == 0);
  CHECK(manager.next() == "STOPPING=1");
}

}  // namespace
}  // namespace segue::test
