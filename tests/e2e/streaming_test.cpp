#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kLarge = std::uint64_t{1} << 30;
[[maybe_unused]] constexpr std::uint64_t kMostAnonymous = std::uint64_t{64} << 20;
constexpr std::chrono::minutes kLong{5};

// 1 MiB whose every 8 bytes differ, so that a lost or doubled piece shows in the sum.
std::string pattern() {
  std::string block;
  for (unsigned i = 0; i < (1U << 20) / 8; ++i) block += fmt::format("{:07x}\n", i);
  return block;
}

void send_large(Socket& socket) {
  const auto block = pattern();
  const Deadline deadline(kLong);
  for (std::uint64_t sent = 0; sent < kLarge; sent += block.size()) socket.send(block, deadline);
}

// Reads kLarge bytes and compares them with the pattern; how many were right.
std::uint64_t read_large(MessageReader& reader, Process& gateway, std::uint64_t& most_anonymous) {
  const auto block = pattern();
  const Deadline deadline(kLong);
  std::uint64_t right = 0;
  std::uint64_t looked_at = 0;
  while (right < kLarge) {
    const auto piece = reader.some(1, deadline);
    if (piece.empty()) return right;
    for (std::size_t at = 0; at < piece.size();) {
      const auto offset = (right) % block.size();
      const auto length = std::min(piece.size() - at, block.size() - offset);
      if (piece.compare(at, length, block, offset, length) != 0) return right;
      at += length;
      right += length;
    }
    if (right - looked_at >= (std::uint64_t{16} << 20)) {
      looked_at = right;
      most_anonymous = std::max(most_anonymous, gateway.memory("RssAnon"));
    }
  }
  return right;
}

void check_memory(std::uint64_t most_anonymous) {
  INFO("RssAnon at most " << (most_anonymous >> 10) << " KiB");
  CHECK((!memory_counts() || most_anonymous < kMostAnonymous));
}

TEST_CASE("1 GiB downloaded: every byte right, memory bounded, a slow reader included") {
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.request();
    connection.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", kLarge));
    const auto block = pattern();
    for (std::uint64_t sent = 0; sent < kLarge; sent += block.size()) connection.send(block);
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.reader().head();
  REQUIRE(head);
  CHECK(head->field("content-length") == std::to_string(kLarge));
  std::uint64_t most = gateway.process().memory("RssAnon");
  CHECK(read_large(client.reader(), gateway.process(), most) == kLarge);
  check_memory(most);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  const auto& body = exchanges[0].at("response").at("body").as_object();
  CHECK(body.at("capture") == "TRUNCATED");
  CHECK(body.at("size").to_number<std::uint64_t>() == kLarge);
}

TEST_CASE("1 GiB uploaded: every byte right, memory bounded") {
  std::atomic<std::uint64_t> right = 0;
  std::atomic<std::uint64_t> most = 0;
  std::atomic<Process*> process = nullptr;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request_head();
    std::uint64_t seen = 0;
    right = read_large(connection.reader(), *process.load(), seen);
    most = seen;
    connection.send(response_with(200, "stored"));
  });
  GatewayProcess gateway(all_to(backend.port()));
  process = &gateway.process();
  RawClient client(gateway.port());
  client.send(fmt::format("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", kLarge));
  send_large(client.socket());
  const auto answer = client.reader().response("POST", Deadline(kLong));
  REQUIRE(answer);
  CHECK(answer->body == "stored");
  CHECK(right == kLarge);
  check_memory(most);
}

TEST_CASE("a client that does not read stops the backend, not the gateway's memory") {
  std::atomic<std::uint64_t> taken = 0;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
    for (int i = 0; i < 4096; ++i) {
      connection.send(chunk);
      taken += chunk.size();
    }
    connection.send("0\r\n\r\n");
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient stalled(gateway.port(), 4096);
  stalled.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  // While one client stalls, others are served.
  for (int i = 0; i < 20; ++i) {
    RawClient probe(gateway.port("probe"));
    CHECK(probe.get("/livez", "Connection: close\r\n").status() == 200);
  }
  check_memory(gateway.process().memory("RssAnon"));
  CHECK(taken < (std::uint64_t{64} << 20));
}

}  // namespace
}  // namespace segue::test
