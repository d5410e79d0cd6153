// Clients and backends that stop reading, many at once.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/crowd.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGateway = 48 * kMiB;         // before any connection, generously
constexpr std::uint64_t kCaptureMemory = 64 * kMiB;   // recorder.capture_memory
constexpr std::uint64_t kBuffers = 256 << 10;         // of one exchange, both ways
constexpr std::uint64_t kKernel = 24 * kMiB;          // what sockets may hold of one connection

void check_memory(std::uint64_t most, std::size_t exchanges) {
  INFO("RssAnon at most " << (most >> 10) << " KiB with " << exchanges << " exchanges");
  CHECK((!memory_counts() || most < kGateway + kCaptureMemory + exchanges * kBuffers));
}

void check_nothing_left(const GatewayProcess& gateway) {
  wait_until_zero(gateway, "segue_connections");
  wait_until_zero(gateway, "http_server_active_requests");
  CHECK(gateway.metric("segue_sessions_failed_total") == 0);
}

TEST_CASE("200 clients that stop reading: memory is bounded, others are served, each is cut") {
  constexpr std::size_t kStalled = 200;
  std::atomic<std::uint64_t> taken = 0;
  ScriptedBackend backend([&](BackendConnection& connection) {
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    while (const auto request = connection.request()) {
      if (request->target() != "/endless") {
        connection.send(response_with(200, "small"));
        continue;
      }
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (connection.socket().send_what_is_taken(chunk) == chunk.size()) taken += chunk.size();
      return;
    }
  });
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ send_idle: 3s }"));
  std::deque<RawClient> stalled;
  for (std::size_t i = 0; i < kStalled; ++i)
    stalled.emplace_back(gateway.port(), 4096).send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 20; ++i) CHECK(RawClient(gateway.port()).get("/other").body == "small");
  const std::vector<std::string> cut{R"(limit="send_idle")"};
  check_memory(most_memory_until(gateway, "segue_limit_refusals_total", cut, kStalled), kStalled);
  CHECK(taken < kStalled * kKernel);
  stalled.clear();
  check_nothing_left(gateway);
  CHECK(RawClient(gateway.port()).get("/after").body == "small");
}

// Bytes in the send queues of connections to this port of 127.0.0.1, by /proc/net/tcp.
std::uint64_t queued_to_clients(std::uint16_t port) {
  std::ifstream table("/proc/net/tcp");
  const auto local = fmt::format("0100007F:{:04X}", port);
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string slot, from, to, state, queues;
    words >> slot >> from >> to >> state >> queues;
    if (from == local && state == "01") bytes += std::stoull(queues, nullptr, 16);
  }
  return bytes;
}

TEST_CASE("what clients do not take waits with the backend, and little of it in their sockets") {
  constexpr std::size_t kStalled = 8;
  ScriptedBackend backend([&](BackendConnection& connection) {
    if (!connection.request()) return;
    const std::string block(kMiB, 'x');
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    while (connection.socket().send_what_is_taken(block) == block.size()) {
    }
  });
  GatewayProcess gateway(all_to(backend.port()).with("limits", "{ send_idle: 2s }"));
  std::deque<RawClient> stalled;
  for (std::size_t i = 0; i < kStalled; ++i)
    stalled.emplace_back(gateway.port()).send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  std::uint64_t most = 0;
  const Deadline deadline;
  while (gateway.metric("segue_limit_refusals_total", {R"(limit="send_idle")"}) == 0) {
    most = std::max(most, queued_to_clients(gateway.port()));
    REQUIRE(deadline.left() > 0);
  }
  CHECK(most > 0);
  CHECK(most < kStalled * kMiB / 2);
}

TEST_CASE("64 uploads to backends that stop reading: clients are stopped, memory is bounded") {
  constexpr std::size_t kUploads = 64;
  Event over;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request_head();
    over.wait();
  });
  const auto config =
      all_to(backend.port(), "timeouts: { connect: 30s, first_byte: 2s, idle: 2s }");
  GatewayProcess gateway(config);
  std::vector<std::jthread> clients;
  for (std::size_t i = 0; i < kUploads; ++i) {
    clients.emplace_back([port = gateway.port()] {
      const std::string block(kMiB, 'u');
      Socket socket = Socket::connect(port);
      socket.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\n\r\n");
      while (socket.send_what_is_taken(block) == block.size()) {
      }
    });
  }
  const std::vector<std::string> done{R"(result="recorded")"};
  check_memory(most_memory_until(gateway, "segue_record_exchanges_total", done, kUploads), kUploads);
  clients.clear();
  over.set();
  check_nothing_left(gateway);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == kUploads);
  for (const auto& exchange : exchanges) {
    CHECK(exchange.at("outcome") == "UPSTREAM_TIMEOUT");
    const auto& body = exchange.at("request").at("body").as_object();
    CHECK(body.at("size").to_number<std::uint64_t>() < kKernel);
  }
}

}  // namespace
}  // namespace segue::test
