// An open WebSocket through the gateway: ends, resets, stalls and silence on either side, and what
// is on record of them.

#include <fmt/format.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <csignal>
#include <fstream>
#include <string>

#include "tests/e2e/tunnels.hpp"
#include "tests/support/process.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kMuch = std::uint64_t{256} << 20;
[[maybe_unused]] constexpr std::uint64_t kMostAnonymous = std::uint64_t{64} << 20;

std::string block_of(char c) {
  return std::string(std::size_t{1} << 20, c);
}

void check_memory(GatewayProcess& gateway) {
  const std::uint64_t anonymous = gateway.process().memory("RssAnon");
  INFO("RssAnon " << (anonymous >> 10) << " KiB");
  CHECK((!memory_counts() || anonymous < kMostAnonymous));
}

// Agrees to a handshake and then does this.
ScriptedBackend::Script agreed(const std::function<void(BackendConnection&)>& then) {
  return [then](BackendConnection& connection) {
    if (!connection.request_head()) return;
    connection.send(kAgreement);
    then(connection);
  };
}

TEST_CASE("bytes of either side arrive in their order, many at once and one by one") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  for (int i = 0; i < 200; ++i) REQUIRE(client.ask(fmt::format("{},", i)) == fmt::format("{},", i));
  std::string much;
  for (unsigned i = 0; i < (1U << 15); ++i) much += fmt::format("{:07x}\n", i);
  CHECK(client.ask(much) == much);
}

TEST_CASE("the end of a client's sending reaches the backend, which may go on") {
  ScriptedBackend backend(agreed([](BackendConnection& connection) {
    connection.reader().wait_for_end();
    connection.send(fmt::format("heard {}", connection.reader().rest()));
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  client.send("bye");
  client.socket().finish_sending();
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(client.reader().rest() == "heard bye");
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "COMPLETED");
  CHECK(bytes_of(exchange) == "3/9");
}

TEST_CASE("the end of a backend's sending reaches the client, which may go on") {
  std::string heard;
  ScriptedBackend backend(agreed([&](BackendConnection& connection) {
    connection.send("that is all");
    connection.socket().finish_sending();
    connection.reader().wait_for_end();
    heard = connection.reader().rest();
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  CHECK(client.reader().wait_for_end() == Received::end);
  CHECK(client.reader().rest() == "that is all");
  client.send("one more word");
  client.socket().finish_sending();
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "COMPLETED");
  CHECK(bytes_of(exchange) == "13/11");
  CHECK(heard == "one more word");
}

TEST_CASE("the last words of a backend that closes reach a client that still sends") {
  ScriptedBackend backend(agreed([](BackendConnection& connection) {
    connection.reader().some(1);
    connection.send("going away");
    connection.socket().finish_sending();
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  client.socket().send_what_is_taken(block_of('x') + block_of('y'));
  client.reader().wait_for_end();
  CHECK(client.reader().rest() == "going away");
  client.socket().close();
  CHECK(text_of(ended_tunnel(gateway).at("outcome")) == "COMPLETED");
}

TEST_CASE("a client's reset is a reset at the backend, and on record") {
  std::atomic<Received> end = Received::bytes;
  ScriptedBackend backend(agreed([&](BackendConnection& connection) {
    connection.reader().some(1);
    end = connection.reader().wait_for_end();
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  client.send("x");
  gateway.wait_for_metric("segue_backend_tunnel_bytes_total", {"direction=\"from_client\""}, 1);
  client.socket().reset();
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "CLIENT_ABORTED");
  CHECK(bytes_of(exchange) == "1/0");
  CHECK(gateway.metric("segue_client_aborts_total") == 1);
  gateway.stop();
  CHECK(end == Received::reset);
}

TEST_CASE("a backend's reset is a reset at the client, and on record") {
  ScriptedBackend backend(agreed([](BackendConnection& connection) {
    connection.reader().some(1);
    connection.reset();
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  client.send("x");
  CHECK(client.reader().wait_for_end() == Received::reset);
  CHECK(text_of(ended_tunnel(gateway).at("outcome")) == "UPSTREAM_RESET");
}

TEST_CASE("a client that leaves while the backend still talks is on record") {
  ScriptedBackend backend(agreed([](BackendConnection& connection) {
    const auto block = block_of('x');
    while (connection.socket().send_what_is_taken(block) == block.size()) {
    }
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  {
    TunnelClient client(gateway.port());
    client.reader().some(1 << 20);
  }
  CHECK(text_of(ended_tunnel(gateway).at("outcome")) == "CLIENT_ABORTED");
}

TEST_CASE("a tunnel in which nobody says anything ends at timeouts.tunnel") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(tunnels_to(backend.port(), ", timeouts: { tunnel: 200ms }"));
  TunnelClient client(gateway.port());
  client.ask("hello");
  CHECK(client.reader().wait_for_end() == Received::reset);
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "UPSTREAM_TIMEOUT");
  CHECK(bytes_of(exchange) == "5/5");
}

TEST_CASE("a tunnel whose client takes nothing ends at timeouts.tunnel") {
  ScriptedBackend backend(agreed([](BackendConnection& connection) {
    const auto block = block_of('x');
    while (connection.socket().send_what_is_taken(block) == block.size()) {
    }
  }));
  GatewayProcess gateway(tunnels_to(backend.port(), ", timeouts: { tunnel: 200ms }"));
  TunnelClient client(gateway.port(), 4096);
  CHECK(text_of(ended_tunnel(gateway).at("outcome")) == "CLIENT_ABORTED");
}

TEST_CASE("neither `idle` nor `total` ends a tunnel that is open") {
  ScriptedBackend backend([](BackendConnection& connection) {
    const auto request = connection.request_head();
    if (!request || !request->field("upgrade")) {
      connection.reader().wait_for_end();
      return;
    }
    connection.send(kAgreement);
    for (auto bytes = connection.reader().some(1); !bytes.empty();
         bytes = connection.reader().some(1))
      connection.send(bytes);
  });
  GatewayProcess gateway(
      tunnels_to(backend.port(), ", timeouts: { idle: 300ms, total: 300ms, tunnel: 24h }"));
  TunnelClient client(gateway.port());
  CHECK(client.ask("x") == "x");
  // An exchange that began later and that `total` ends.
  RawClient other(gateway.port());
  CHECK(other.get("/open").status() == 504);
  CHECK(client.ask("still here") == "still here");
}

TEST_CASE("256 MiB towards a client that does not read stay with the backend") {
  std::atomic<std::uint64_t> taken = 0;
  ScriptedBackend backend(agreed([&](BackendConnection& connection) {
    const auto block = block_of('x');
    for (std::uint64_t sent = 0; sent < kMuch; sent += block.size()) {
      const auto count = connection.socket().send_what_is_taken(block);
      taken += count;
      if (count != block.size()) return;
    }
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient stalled(gateway.port(), 4096);
  // While one client stalls, others are served.
  for (int i = 0; i < 5; ++i) {
    TunnelClient other(gateway.port(), 4096);
    CHECK(other.reader().some(1).size() >= 1);
  }
  check_memory(gateway);
  CHECK(taken < kMuch);
}

TEST_CASE("256 MiB towards a backend that does not read stay with the client") {
  Event done;
  ScriptedBackend backend(agreed([&](BackendConnection&) { done.wait(); }));
  GatewayProcess gateway(tunnels_to(backend.port(), ", timeouts: { tunnel: 500ms }"));
  TunnelClient client(gateway.port());
  const auto block = block_of('x');
  std::uint64_t taken = 0;
  while (taken < kMuch) {
    const auto count = client.socket().send_what_is_taken(block);
    taken += count;
    if (count != block.size()) break;
  }
  CHECK(taken < kMuch);
  check_memory(gateway);
  const auto exchange = ended_tunnel(gateway);
  CHECK(text_of(exchange.at("outcome")) == "UPSTREAM_TIMEOUT");
  done.set();
}

TEST_CASE("a gateway killed in the middle of a tunnel leaves its 101 on record") {
  ScriptedBackend backend(echo);
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  CHECK(client.ask("x") == "x");
  gateway.kill();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("response").at("status") == 101);
  CHECK(bytes_of(exchanges[0]) == "none");
}

TEST_CASE("a tunnel goes on while the gateway drains, and is cut at drain.timeout") {
  ScriptedBackend backend(echo);
  auto config = tunnels_to(backend.port());
  config.with("drain", "{ delay: 0s, timeout: 2s }");
  GatewayProcess gateway(config);
  TunnelClient client(gateway.port());
  CHECK(client.ask("x") == "x");
  gateway.process().signal(SIGTERM);
  CHECK(client.ask("still") == "still");
  CHECK(client.reader().wait_for_end() == Received::reset);
  CHECK(gateway.process().wait().exit_code == 0);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(text_of(exchanges[0].at("outcome")) == "INTERRUPTED");
  CHECK(bytes_of(exchanges[0]) == "6/6");
}

TEST_CASE("a tunnel holds its connection of the backend's limit until it ends") {
  ScriptedBackend backend(echo);
  ConfigText config;
  config.with("cores", "{ count: 1 }");
  config.backend("legacy", backend.port(),
                 "limits: { connections: 1 }, timeouts: { first_byte: 200ms }");
  config.route("open", "{ match: { prefix: /open }, to: legacy, upgrade: [websocket] }");
  GatewayProcess gateway(config);
  {
    TunnelClient client(gateway.port());
    CHECK(client.ask("x") == "x");
    RawClient other(gateway.port());
    CHECK(other.exchange(kHandshake).status() >= 500);
  }
  wait_for_closed_tunnels(gateway);
  CHECK(TunnelClient(gateway.port()).ask("again") == "again");
}

TEST_CASE("the access log has one line for a tunnel, at its end, with the bytes of both sides") {
  const TempDir folder;
  const auto file = folder / "access.log";
  ScriptedBackend backend(echo);
  auto config = tunnels_to(backend.port());
  config.with("access_log", fmt::format("{{ format: json, path: \"{}\" }}", file.string()));
  {
    GatewayProcess gateway(config);
    TunnelClient client(gateway.port());
    CHECK(client.ask("hello") == "hello");
    client.socket().finish_sending();
    client.reader().wait_for_end();
    gateway.stop();
  }
  std::ifstream in(file);
  std::string line;
  REQUIRE(std::getline(in, line));
  const auto entry = boost::json::parse(line).as_object();
  CHECK(entry.at("status") == 101);
  CHECK(entry.at("request_bytes") == 5);
  CHECK(entry.at("response_bytes") == 5);
  CHECK(text_of(entry.at("outcome")) == "COMPLETED");
  CHECK_FALSE(std::getline(in, line));
}

TEST_CASE("the access log has a line for a handshake whose client was gone, best-effort too") {
  const auto durability = GENERATE(as<std::string>{}, "journal", "best-effort");
  const TempDir folder;
  const auto file = folder / "access.log";
  Event left;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request_head();
    left.wait();
    connection.send(kAgreement);
    connection.reader().wait_for_end();
  });
  auto config = tunnels_to(backend.port(), fmt::format(", record: {{ durability: {} }}", durability));
  config.with("access_log", fmt::format("{{ format: json, path: \"{}\" }}", file.string()));
  {
    GatewayProcess gateway(config);
    RawClient client(gateway.port());
    client.send(kHandshake);
    backend.wait_for_requests(1);
    client.socket().reset();
    left.set();
    gateway.wait_for_metric("segue_client_aborts_total", {}, 1);
    gateway.stop();
  }
  std::ifstream in(file);
  std::string line;
  REQUIRE(std::getline(in, line));
  CHECK(text_of(boost::json::parse(line).at("outcome")) == "CLIENT_ABORTED");
  CHECK_FALSE(std::getline(in, line));
}

TEST_CASE("`show` says how a tunnel ended, and how many bytes went each way") {
  ScriptedBackend backend(agreed([](BackendConnection& connection) {
    connection.reader().some(1);
    connection.reset();
  }));
  GatewayProcess gateway(tunnels_to(backend.port()));
  TunnelClient client(gateway.port());
  client.send("x");
  client.reader().wait_for_end();
  const auto id = text_of(ended_tunnel(gateway).at("id"));
  const auto shown = run_command({seguectl_path(), "show", id, gateway.journal()});
  INFO(shown.out << shown.err);
  CHECK(shown.exit_code == 0);
  CHECK(shown.out.find("UPSTREAM_RESET") != std::string::npos);
  CHECK(shown.out.find("1 bytes from the client, 0 to it") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
