// Backends of shadows that misbehave: clients never notice.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/e2e/shadowed.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::uint64_t kLarge = std::uint64_t{1} << 30;
[[maybe_unused]] constexpr std::uint64_t kMostAnonymous = std::uint64_t{64} << 20;
constexpr int kRequests = 6;

struct Fault {
  const char* name;
  ScriptedBackend::Script script;
  const char* result;   // of the metric
  const char* outcome;  // on record
};

void send_without_end(BackendConnection& connection) {
  connection.send(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", kLarge));
  const std::string block(1 << 20, 'x');
  for (std::uint64_t sent = 0; sent < kLarge; sent += block.size())
    if (connection.socket().send_what_is_taken(block) < block.size()) return;
}

// Until the gateway closes the connection.
void wait_for_end(BackendConnection& connection) {
  connection.reader().wait_for_end();
}

ScriptedBackend::Script answer_once(std::string bytes) {
  return [bytes = std::move(bytes)](BackendConnection& connection) {
    connection.request();
    connection.send(bytes);
  };
}

std::vector<Fault> faults() {
  return {
      {"closes at once", [](BackendConnection&) {}, "error", "UPSTREAM_RESET"},
      {"resets when it was asked",
       [](BackendConnection& connection) {
         connection.request();
         connection.reset();
       },
       "error", "UPSTREAM_RESET"},
      {"never answers",
       [](BackendConnection& connection) {
         connection.request();
         wait_for_end(connection);
       },
       "timeout", "UPSTREAM_TIMEOUT"},
      {"never reads", [](BackendConnection& connection) { wait_for_end(connection); }, "timeout",
       "UPSTREAM_TIMEOUT"},
      {"begins an answer and stalls",
       [](BackendConnection& connection) {
         connection.request();
         connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
         wait_for_end(connection);
       },
       "timeout", "UPSTREAM_TIMEOUT"},
      {"answers garbage", answer_once("\x16\x03\x01 this is no HTTP\r\n\r\n"), "error",
       "UPSTREAM_RESET"},
      {"answers with a damaged head",
       answer_once("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
       "error", "UPSTREAM_RESET"},
      {"answers with damaged chunks",
       answer_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n"),
       "error", "UPSTREAM_RESET"},
      {"switches protocols", answer_once("HTTP/1.1 101 Now\r\nUpgrade: x\r\n\r\n"), "error",
       "UPSTREAM_RESET"},
      {"says 100 without end",
       [](BackendConnection& connection) {
         connection.request();
         constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
         while (connection.socket().send_what_is_taken(kContinue) == kContinue.size()) {
         }
       },
       "error", "UPSTREAM_RESET"},
      {"closes in the middle of its head", answer_once("HTTP/1.1 200 OK\r\nContent-Le"), "error",
       "UPSTREAM_RESET"},
      {"closes in the middle of its body",
       answer_once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"), "error",
       "UPSTREAM_RESET"},
      {"sends 1 GiB",
       [](BackendConnection& connection) {
         connection.request();
         send_without_end(connection);
       },
       "sent", "COMPLETED"},
  };
}

// The raw bytes of every answer on one kept-alive connection, each with its own content.
std::string answers_of(std::uint16_t port) {
  std::string all;
  RawClient client(port);
  for (int i = 0; i < kRequests; ++i) {
    const auto target = fmt::format("/{}", i);
    const auto answer = i % 3 == 2 ? client.exchange(fmt::format(
                                         "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
                                         "\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
                                         target))
                                   : client.get(target);
    CHECK(answer.whole);
    all += answer.raw_head + answer.body;
  }
  return all;
}

// With a Date of its own: the gateway's would be another one with every second.
ScriptedBackend::Script echo() {
  return [](BackendConnection& connection) {
    while (const auto request = connection.request())
      connection.send(response_with(200, request->target() + request->body,
                                    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                    "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  };
}

// A deadline passes only where one is to pass.
std::string keys(std::string_view result) {
  return fmt::format("percent: 100, writes: \"scratch\", max_body: 64KiB, timeout: {}",
                     result == "timeout" ? "200ms" : "60s");
}

TEST_CASE("whatever the backend of shadows does, clients get the same bytes as without") {
  ScriptedBackend legacy(echo());
  std::string without;
  {
    GatewayProcess gateway(all_to(legacy.port()));
    without = answers_of(gateway.port());
  }
  for (const auto& fault : faults()) {
    DYNAMIC_SECTION(fault.name) {
      ScriptedBackend copies(fault.script);
      GatewayProcess gateway(shadowed(legacy.port(), copies.port(), keys(fault.result)));
      CHECK(answers_of(gateway.port()) == without);
      wait_until_none_in_flight(gateway);
      CHECK(shadows(gateway, fault.result) == kRequests);
      const auto records = recorded_kind(gateway, "SHADOW");
      CHECK(records.size() == kRequests);
      for (const auto& record : records) CHECK(record.at("outcome") == fault.outcome);
      for (const auto& primary : recorded_kind(gateway, "PRIMARY")) {
        CHECK(primary.at("outcome") == "COMPLETED");
        CHECK(said_of_shadow(primary) == "sent");
      }
      CHECK(gateway.stop().exit_code == 0);
    }
  }
}

TEST_CASE("a backend of shadows that is not there costs clients nothing and is on record") {
  ScriptedBackend legacy(echo());
  std::string without;
  {
    GatewayProcess gateway(all_to(legacy.port()));
    without = answers_of(gateway.port());
  }
  GatewayProcess gateway(shadowed(legacy.port(), closed_port(), keys("error")));
  CHECK(answers_of(gateway.port()) == without);
  wait_for_shadows(gateway, "error", kRequests);
  const auto records = recorded_kind(gateway, "SHADOW");
  REQUIRE(records.size() == kRequests);
  for (const auto& record : records) {
    CHECK(record.at("outcome") == "UPSTREAM_CONNECT_FAILED");
    CHECK(record.at("response").is_null());
    CHECK(record.at("attempts").as_array().size() == 1);
  }
  CHECK(gateway.metric("segue_shadow_backend_connect_failures_total", {"segue_backend=\"new\""}) ==
        kRequests);
  CHECK(gateway.metric("segue_backend_connect_failures_total") == 0);
}

TEST_CASE("half an answer is on record as truncated") {
  ScriptedBackend legacy(echo());
  ScriptedBackend copies(answer_once("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), keys("error")));
  RawClient client(gateway.port());
  client.get("/");
  wait_for_shadows(gateway, "error", 1);
  const auto record = recorded_kind(gateway, "SHADOW").at(0);
  const auto body = record.at("response").at("body").as_object();
  CHECK(body.at("capture") == "TRUNCATED");
  CHECK(body.at("reason") == "incomplete");
  CHECK(body.at("size") == 9);
}

TEST_CASE("a pooled connection that went stale is tried again once, on record") {
  ScriptedBackend legacy(echo());
  ScriptedBackend copies([](BackendConnection& connection) {
    connection.request();
    connection.send(response_with(200, "new"));
    connection.request();  // and closes without an answer
  });
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100"));
  RawClient client(gateway.port());
  client.get("/1");
  wait_for_shadows(gateway, "sent", 1);
  client.get("/2");
  wait_for_shadows(gateway, "sent", 2);
  const auto record = recorded_kind(gateway, "SHADOW").at(1);
  CHECK(record.at("outcome") == "COMPLETED");
  const auto attempts = record.at("attempts").as_array();
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].at("error") == "stale pooled connection");
  CHECK(gateway.metric("segue_shadow_backend_stale_retries_total") == 1);
}

TEST_CASE("shadows that are sent 1 GiB each, all at once, do not take its memory") {
  ScriptedBackend legacy(echo());
  ScriptedBackend copies([](BackendConnection& connection) {
    connection.request();
    send_without_end(connection);
  });
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100, max_in_flight: 20"));
  std::uint64_t most = 0;
  RawClient client(gateway.port());
  for (int i = 0; i < 100; ++i) {
    CHECK(client.get("/x").body == "/x");
    most = std::max(most, gateway.process().memory("RssAnon"));
  }
  wait_until_none_in_flight(gateway);
  most = std::max(most, gateway.process().memory("RssAnon"));
  INFO("RssAnon at most " << (most >> 10) << " KiB");
  CHECK((!memory_counts() || most < kMostAnonymous));
  CHECK(shadows(gateway, "sent") + shadows(gateway, "skipped_in_flight") == 100);
  CHECK(shadows(gateway, "sent") > 0);
}

// A million chunks of one byte: long to read, and within max_body.
void send_in_tiny_chunks(BackendConnection& connection) {
  connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string block;
  for (int i = 0; i < 10'000; ++i) block += "1\r\nx\r\n";
  for (int i = 0; i < 800; ++i)
    if (connection.socket().send_what_is_taken(block) < block.size()) return;
  connection.send("0\r\n\r\n");
}

TEST_CASE("clients are served while a shadow receives without a pause") {
  ScriptedBackend legacy(echo());
  ScriptedBackend copies([](BackendConnection& connection) {
    connection.request();
    send_in_tiny_chunks(connection);
  });
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(),
                                  "percent: 100, max_body: 8MiB, max_in_flight: 1, timeout: 60s"));
  RawClient client(gateway.port());
  client.get("/first");
  copies.wait_for_requests(1);
  int served_meanwhile = 0;
  while (shadows(gateway, "sent") == 0 && served_meanwhile < 20) {
    CHECK(client.get("/x").body == "/x");
    ++served_meanwhile;
  }
  CHECK(served_meanwhile > 1);
  CHECK(shadows(gateway, "skipped_in_flight") >= 1);
}

TEST_CASE("a shadow that is refused before its body was read has its answer on record") {
  ScriptedBackend legacy(echo());
  ScriptedBackend copies([](BackendConnection& connection) {
    connection.request_head();
    connection.send(response_with(413, "too long"));
    wait_for_end(connection);
  });
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(),
               "percent: 100, writes: \"scratch\", max_body: 8MiB, timeout: 5s"));
  const std::string body(8 << 20, 'x');
  RawClient client(gateway.port());
  const auto answer = client.exchange(fmt::format(
      "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  CHECK(answer.status() == 200);
  wait_until_none_in_flight(gateway);
  CHECK(shadows(gateway, "sent") == 1);
  const auto record = recorded_kind(gateway, "SHADOW").at(0);
  CHECK(record.at("outcome") == "COMPLETED");
  CHECK(record.at("response").at("status") == 413);
  CHECK(record.at("response").at("body").at("size") == 8);
}

}  // namespace
}  // namespace segue::test
