// Take-overs that go wrong on either side, and what may never become of the clients meanwhile.
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <random>
#include <thread>

#include "tests/e2e/handover_peer.hpp"
#include "tests/e2e/restarted.hpp"
#include "tests/e2e/steady_load.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kAsk = R"({"segue_handover":1,"say":"ask"})";
constexpr std::string_view kReady = R"({"segue_handover":1,"say":"ready"})";

void check_serves(std::uint16_t port) {
  RawClient client(port);
  CHECK(client.get("/").status() == 200);
}

// Until the process that took the sockets is forgotten, so that another one can take over.
void check_can_be_taken_over(GatewayProcess& old, const ConfigText& config) {
  GatewayProcess next(config, old.journal_path(), take_over());
  CHECK(next.port() == old.port());
  CHECK(old.process().wait().exit_code == 0);
  check_serves(next.port());
}

TEST_CASE("a process that takes the sockets and dies before it is ready changes nothing") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const auto config = all_to(backend.port());
  GatewayProcess old(config);
  {
    HandoverPeer dying(old.journal_path() / "handover.sock");
    dying.send(kAsk);
    std::size_t sockets = 0;
    for (auto packet = dying.receive(); packet && packet->text.find("\"all\"") == std::string::npos;
         packet = dying.receive())
      sockets += packet->descriptors.size();
    CHECK(sockets == 3);  // two cores and the probe
  }
  check_serves(old.port());
  check_can_be_taken_over(old, config);
}

TEST_CASE("what is no message is refused, and the process serves on") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const auto config = all_to(backend.port());
  GatewayProcess old(config);
  for (const std::string_view nonsense :
       {std::string_view("GET / HTTP/1.1\r\n\r\n"), std::string_view("{}"),
        std::string_view(R"({"segue_handover":2,"say":"ask"})"), kReady,
        std::string_view(R"({"segue_handover":1,"say":"ask","more":1})")}) {
    INFO(nonsense);
    HandoverPeer peer(old.journal_path() / "handover.sock");
    peer.send(nonsense);
    const auto answer = peer.receive();
    REQUIRE(answer);
    CHECK(answer->text.find("\"refuse\"") != std::string::npos);
    CHECK(answer->descriptors.empty());
    CHECK_FALSE(peer.receive());
  }
  const std::string huge(100'000, 'x');
  HandoverPeer(old.journal_path() / "handover.sock").send(huge);
  check_serves(old.port());
  check_can_be_taken_over(old, config);
}

TEST_CASE("a new process that cannot start leaves the old one as it was, and its Unix socket") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto listeners = [&](std::string_view more) {
    return fmt::format("{{ public: {{ address: \"127.0.0.1:0\" }}, local: {{ address: \"unix:{}\" "
                       "}}{} }}",
                       (folder / "s").string(), more);
  };
  auto config = all_to(backend.port()).with("listeners", listeners(""));
  GatewayProcess old(config, folder / "journal");
  auto wrong = all_to(backend.port());
  wrong.with("listeners", listeners(", taken: { address: \"192.0.2.1:1\" }"));
  const auto file = folder.write("segue.yaml", wrong.yaml(folder / "journal"));
  const auto result = run_command({segue_path(), "serve", "-c", file.string(), "--take-over"});
  CHECK(result.exit_code == 2);
  CHECK(result.err.find("192.0.2.1:1") != std::string::npos);
  check_serves(old.port());
  RawClient local(folder / "s");
  CHECK(local.get("/", "Connection: close\r\n").body == "x");
  check_can_be_taken_over(old, config);
}

TEST_CASE("the old process is killed at any moment of the hand-over: the new one serves") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (unsigned round = 0; round < rounds(4); ++round) {
    const TempDir folder;
    const auto config = all_to(backend.port())
                            .with("listeners", fmt::format("{{ public: {{ address: "
                                                           "\"127.0.0.1:{}\" }} }}",
                                                           closed_port()));
    GatewayProcess old(config, folder / "journal");
    const auto moment = std::chrono::steady_clock::now() +
                        std::chrono::milliseconds(random() % 400);
    std::thread killer([&] {
      while (std::chrono::steady_clock::now() < moment) std::this_thread::yield();
      old.process().signal(SIGKILL);
    });
    GatewayProcess next(config, folder / "journal", take_over());
    killer.join();
    old.process().wait();
    CHECK(next.port() == old.port());
    check_serves(next.port());
    check_can_be_taken_over(next, config);
  }
}

TEST_CASE("the old process ends before it has given anything: the new one binds by itself") {
  const TempDir folder;
  HandoverGiver old(folder / "handover.sock");
  std::thread ends([&] { old.end_when_asked(); });
  GatewayProcess next(all_to(closed_port()), folder.path(), take_over());
  ends.join();
  RawClient client(next.port());
  CHECK(client.get("/").status() == 502);
}

TEST_CASE("the old process is killed when it has given its sockets: what is queued is served") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto config = all_to(backend.port());
  // The test plays the old process: it gives a socket on which clients wait, and is gone when the
  // new one says that it is ready.
  HandoverGiver old(folder / "handover.sock");
  SocketActivator sockets({"public"});
  std::thread gives([&] { old.give({"public", sockets.descriptor(0)}, HandoverGiver::End::gone); });
  RawClient waiting(sockets.port(0));
  waiting.send("GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n");
  GatewayProcess next(config, folder.path(), take_over());
  gives.join();
  CHECK(next.port() == sockets.port(0));
  CHECK(waiting.response().body == "x");
}

TEST_CASE("the old process is told to end while a new one has its sockets: it leaves them to that") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto config = all_to(backend.port()).with(
      "listeners", fmt::format("{{ public: {{ address: \"unix:{}\" }} }}", (folder / "s").string()));
  GatewayProcess old(config, folder / "journal");
  HandoverPeer next(old.journal_path() / "handover.sock");
  next.send(kAsk);
  std::vector<Descriptor> sockets;
  for (auto packet = next.receive(); packet && packet->text.find("\"all\"") == std::string::npos;
       packet = next.receive())
    std::ranges::move(packet->descriptors, std::back_inserter(sockets));
  CHECK(sockets.size() == 1);
  old.process().signal(SIGTERM);
  const auto word = next.receive();
  REQUIRE(word);
  CHECK(word->text.find("\"left\"") != std::string::npos);
  CHECK(old.process().wait().exit_code == 0);
  const auto waiting = Socket::connect(folder / "s");  // in the queue of who has the socket
}

TEST_CASE("a process that drains is taken over from") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const TempDir folder;
  const auto config = all_to(backend.port()).with("drain", "{ delay: 1h, timeout: 1h }");
  GatewayProcess old(config, folder / "journal");
  old.process().signal(SIGTERM);
  wait_for_line(old, "draining");
  GatewayProcess next(config, folder / "journal", take_over());
  CHECK(next.port() == old.port());
  CHECK(old.process().wait().exit_code == 0);
  check_serves(next.port());
}

TEST_CASE("a new process that is told to end before it is ready does not say that it is") {
  const TempDir folder;
  const TempDir home;
  HandoverGiver old(folder / "handover.sock");
  SocketActivator sockets({"public"});
  const auto file = home.write("segue.yaml", all_to(closed_port()).yaml(folder.path()));
  Process next({segue_path(), "serve", "-c", file.string(), "--take-over"}, home / "out");
  CHECK_FALSE(old.give({"public", sockets.descriptor(0)}, HandoverGiver::End::gone,
                       [&] { next.signal(SIGTERM); }));
  CHECK(next.wait().exit_code == 2);
}

TEST_CASE("an old process that refuses is told of, and nothing is started") {
  const TempDir folder;
  HandoverGiver old(folder / "handover.sock");
  std::thread refuses([&] { old.refuse("it is too late"); });
  const TempDir home;
  const auto file = home.write("segue.yaml", all_to(closed_port()).yaml(folder.path()));
  const auto result = run_command({segue_path(), "serve", "-c", file.string(), "--take-over"});
  refuses.join();
  CHECK(result.exit_code == 2);
  CHECK(std::ranges::count(result.err, '\n') == 1);
  CHECK(result.err.find("it is too late") != std::string::npos);
}

TEST_CASE("an old process that is killed under load costs what it had begun and nothing else") {
  ScriptedBackend backend(echo);
  const TempDir folder;
  const auto config = all_to(backend.port());
  GatewayProcess old(config, folder / "journal");
  const auto port = old.port();
  SteadyLoad load([port] { return Socket::connect(port); }, 0, 4);
  load.wait_for_answers_of_each(20);
  GatewayProcess next(config, folder / "journal", take_over());
  old.kill();
  load.wait_for_answers_of_each(20);
  load.stop();
  CHECK(load.damage().size() <= 4);  // each client had one request under way at most
  CHECK(next.stop().exit_code == 0);
}

}  // namespace
}  // namespace segue::test
