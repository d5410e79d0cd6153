// Slow clients and the places of shadows: who only sends or receives slowly holds none.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/shadowed.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kOnePlace =
    "percent: 100, writes: \"scratch\", max_in_flight: 1, timeout: 60s";
constexpr std::size_t kLong = 200'000;  // bytes; streams, and does not wait for its end

std::string post_head(std::size_t body) {
  return fmt::format("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body);
}

TEST_CASE("an upload that trickles holds no place, and is copied when it is over") {
  Event arrived;
  ScriptedBackend legacy([&](BackendConnection& connection) {
    while (auto head = connection.request_head()) {
      if (head->method() == "POST") {
        connection.reader().some(kLong / 2);
        arrived.set();
        connection.reader().some(kLong - kLong / 2);
      }
      connection.send(response_with(200, "old"));
    }
  });
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), kOnePlace));
  RawClient slow(gateway.port());
  slow.send(post_head(kLong) + std::string(kLong / 2, 'x'));
  arrived.wait();
  CHECK(gateway.metric("segue_shadow_in_flight") == 0);
  RawClient quick(gateway.port());
  CHECK(quick.get("/").body == "old");
  wait_for_shadows(gateway, "sent", 1);
  wait_until_none_in_flight(gateway);
  slow.send(std::string(kLong - kLong / 2, 'x'));
  CHECK(slow.response("POST").body == "old");
  wait_for_shadows(gateway, "sent", 2);
  CHECK(copies.requests().at(1).body.size() == kLong);
}

TEST_CASE("an answer that trickles holds no place") {
  Event go_on;
  ScriptedBackend legacy([&](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      if (request->target() == "/slow") {
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        go_on.wait();
        connection.send("later");
      } else {
        connection.send(response_with(200, "old"));
      }
    }
  });
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), kOnePlace));
  RawClient slow(gateway.port());
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(slow.reader().head());
  RawClient quick(gateway.port());
  CHECK(quick.get("/").body == "old");
  wait_for_shadows(gateway, "sent", 1);
  wait_until_none_in_flight(gateway);
  go_on.set();
  wait_for_shadows(gateway, "sent", 2);
}

TEST_CASE("bodies that are kept share max_in_flight times max_body") {
  Event arrived;
  ScriptedBackend legacy([&](BackendConnection& connection) {
    while (auto head = connection.request_head()) {
      if (head->field("x-slow")) {
        connection.reader().some(kLong - 1);
        arrived.set();
        connection.reader().some(1);
      } else {
        connection.reader().body(*head);
      }
      connection.send(response_with(200, "old"));
    }
  });
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(), fmt::format("{}, max_body: {}B", kOnePlace, kLong)));
  RawClient slow(gateway.port());
  slow.send(fmt::format("POST /x HTTP/1.1\r\nHost: a\r\nX-Slow: 1\r\nContent-Length: {}\r\n\r\n{}",
                        kLong, std::string(kLong - 1, 'x')));
  arrived.wait();
  RawClient quick(gateway.port());
  const std::string body(100'000, 'y');  // streams
  CHECK(quick.exchange(post_head(body.size()) + body).body == "old");
  CHECK(shadows(gateway, "skipped_in_flight") == 1);
  const std::string short_body(100, 'z');  // is there before it is sent on
  CHECK(quick.exchange(post_head(short_body.size()) + short_body).body == "old");
  CHECK(shadows(gateway, "skipped_in_flight") == 2);
  slow.send("x");
  CHECK(slow.response("POST").body == "old");
  wait_for_shadows(gateway, "sent", 1);
  wait_until_none_in_flight(gateway);
  CHECK(quick.exchange(post_head(body.size()) + body).body == "old");
  wait_for_shadows(gateway, "sent", 2);
  CHECK(said_of_shadow(recorded_kind(gateway, "PRIMARY").at(0)) == "skipped_in_flight");
}

}  // namespace
}  // namespace segue::test
