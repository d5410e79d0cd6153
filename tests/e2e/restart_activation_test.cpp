// Sockets that a service manager made: what starts with them, and a restart that loses nothing.
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/restarted.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

ScriptedBackend::Script answer_x() {
  return answer_always(response_with(200, "x"));
}

TEST_CASE("sockets are taken by the name of the listener, whatever its address says") {
  ScriptedBackend backend(answer_x());
  const SocketActivator manager({"probe", "public"});
  GatewayProcess gateway(all_to(backend.port()), std::nullopt, manager.activated());
  CHECK(gateway.port("probe") == manager.port(0));
  CHECK(gateway.port("public") == manager.port(1));
  CHECK(gateway.metric("segue_build_info") == 1);
  RawClient client(manager.port(1));
  CHECK(client.get("/").body == "x");
}

TEST_CASE("a socket without a listener's name is taken by its address") {
  ScriptedBackend backend(answer_x());
  const SocketActivator manager({"public"});
  auto config = all_to(backend.port());
  config.with("listeners",
              "{ public: { address: \"127.0.0.1:" + std::to_string(manager.port(0)) + "\" } }");
  GatewayProcess gateway(config, std::nullopt, manager.activated("segue.socket"));
  RawClient client(manager.port(0));
  CHECK(client.get("/").body == "x");
}

TEST_CASE("a socket that no listener wants: one line that names it, exit 2") {
  const SocketActivator manager({"public", "forgotten"});
  const TempDir folder;
  const auto file = folder.write("segue.yaml", all_to(closed_port()).yaml(folder / "journal"));
  auto command = manager.activated().before;
  for (const auto& word : {segue_path(), std::string("serve"), std::string("-c"), file.string()})
    command.push_back(word);
  const auto result = run_command(command);
  CHECK(result.exit_code == 2);
  INFO(result.err);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.find("'forgotten'") != std::string::npos);
}

TEST_CASE("variables that were meant for another process are passed over") {
  const TempDir folder;
  CommandLine line;
  line.before = {"/usr/bin/env", "LISTEN_PID=1", "LISTEN_FDS=9"};
  GatewayProcess gateway(all_to(closed_port()), std::nullopt, line);
  CHECK(gateway.stop().exit_code == 0);
}

TEST_CASE("every core accepts from the one socket of a service manager") {
  ScriptedBackend backend(answer_x());
  const SocketActivator manager({"public"});
  GatewayProcess gateway(all_to(backend.port()).with("cores", "{ count: 4 }"), std::nullopt,
                         manager.activated());
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(std::make_unique<RawClient>(manager.port(0)));
  for (auto& client : clients) CHECK(client->get("/").status() == 200);
}

TEST_CASE("a restart with the sockets of a service manager loses no request and resets nobody") {
  ScriptedBackend backend(echo);
  const TempDir folder;
  const SocketActivator manager({"public", "probe"});
  const auto config = all_to(backend.port()).with("drain", "{ delay: 1s, timeout: 1h }");
  auto now = std::make_unique<GatewayProcess>(config, folder / "journal", manager.activated());
  SteadyLoad load([&] { return Socket::connect(manager.port(0)); }, 2, 2);
  for (unsigned round = 0; round < rounds(2); ++round) {
    load.wait_for_answers_of_each(20);
    auto next = std::make_unique<GatewayProcess>(config, folder / "journal", manager.activated());
    CHECK(now->stop().exit_code == 0);
    now = std::move(next);
  }
  load.wait_for_answers_of_each(20);
  load.stop();
  CHECK(now->stop().exit_code == 0);
  for (const auto& line : load.damage()) UNSCOPED_INFO(line);
  CHECK(load.damage().empty());
  check_recorded_once(now->journal(), load.answered());
}

TEST_CASE("while no process runs, clients of a service manager's socket wait and are served") {
  ScriptedBackend backend(answer_x());
  const TempDir folder;
  const SocketActivator manager({"public"});
  const auto config = all_to(backend.port());
  GatewayProcess first(config, folder / "journal", manager.activated());
  CHECK(first.stop().exit_code == 0);
  RawClient client(manager.port(0));
  client.send("GET /waits HTTP/1.1\r\nHost: a\r\n\r\n");
  GatewayProcess second(config, folder / "journal", manager.activated());
  CHECK(client.response().body == "x");
}

}  // namespace
}  // namespace segue::test
