// Bodies of requests and answers, and the room that shadows may take.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/e2e/shadowed.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

std::string numbered(std::size_t bytes) {
  std::string text;
  for (unsigned i = 0; text.size() < bytes; ++i) text += fmt::format("{:07x}\n", i);
  text.resize(bytes);
  return text;
}

std::string post(std::string_view body) {
  return fmt::format("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", body.size(),
                     body);
}

std::string post_in_chunks(std::string_view body, std::size_t chunk) {
  std::string text = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
    const auto piece = body.substr(0, chunk);
    text += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  return text + "0\r\nX-Trailer: 1\r\n\r\n";
}

constexpr std::string_view kWrites = "percent: 100, writes: \"scratch\"";

TEST_CASE("a body is copied whole, however it came, and goes on by its length") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  const std::size_t size = GENERATE(0, 1, 1000, 65'536, 65'537, 700'000, 1'048'576);
  const bool chunked = GENERATE(false, true);
  CAPTURE(size, chunked);
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), kWrites));
  const std::string body = numbered(size);
  RawClient client(gateway.port());
  CHECK(client.exchange(chunked ? post_in_chunks(body, 5000) : post(body)).body == "old");
  wait_for_shadows(gateway, "sent", 1);
  const auto sent = copies.requests();
  REQUIRE(sent.size() == 1);
  CHECK((sent[0].body == body));
  CHECK(sent[0].field("content-length") == std::to_string(size));
  CHECK(sent[0].count("content-length") == 1);
  CHECK_FALSE(sent[0].field("transfer-encoding"));
  CHECK((legacy.requests()[0].body == body));
  CHECK(recorded_kind(gateway, "SHADOW").at(0).at("request").at("body").at("size") == size);
}

TEST_CASE("a request that expects 100-continue is copied without expecting it") {
  ScriptedBackend legacy([](BackendConnection& connection) {
    auto head = connection.request_head();
    connection.send("HTTP/1.1 100 Continue\r\n\r\n");
    connection.reader().body(*head);
    connection.send(response_with(200, "old"));
  });
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), kWrites));
  RawClient client(gateway.port());
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(client.response("POST").status() == 100);
  client.send("body");
  CHECK(client.response("POST").body == "old");
  const auto sent = copies.wait_for_requests(1);
  CHECK_FALSE(sent[0].field("expect"));
  CHECK(sent[0].body == "body");
}

TEST_CASE("a body over max_body is not copied, and reaches its own backend whole") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  const bool chunked = GENERATE(false, true);
  const std::size_t size = GENERATE(1025, 3'000'000);
  CAPTURE(size, chunked);
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(), fmt::format("{}, max_body: 1KiB", kWrites)));
  const std::string body = numbered(size);
  RawClient client(gateway.port());
  for (int i = 1; i <= 2; ++i) {
    CHECK(client.exchange(chunked ? post_in_chunks(body, 300) : post(body)).body == "old");
    CHECK(shadows(gateway, "skipped_body_size") == i);
  }
  CHECK(gateway.metric("segue_shadow_in_flight") == 0);
  CHECK(copies.connections() == 0);
  for (const auto& request : legacy.requests()) CHECK((request.body == body));
  for (const auto& primary : recorded_kind(gateway, "PRIMARY"))
    CHECK(said_of_shadow(primary) == "skipped_body_size");
}

TEST_CASE("an answer over max_body is cut there, and says so") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  const std::string body = numbered(200'000);
  const std::string answer = GENERATE_COPY(
      response_with(200, body),
      fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                  body.size(), body));
  ScriptedBackend copies(answer_always(answer));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100, max_body: 10000B"));
  RawClient client(gateway.port());
  client.get("/");
  wait_for_shadows(gateway, "sent", 1);
  client.get("/");
  wait_for_shadows(gateway, "sent", 2);
  CHECK(copies.connections() == 2);  // a connection with an answer left in it is not used again
  const auto shadow = recorded_kind(gateway, "SHADOW").at(0);
  CHECK(shadow.at("outcome") == "COMPLETED");
  const auto recorded_body = shadow.at("response").at("body").as_object();
  CHECK(recorded_body.at("capture") == "TRUNCATED");
  CHECK(recorded_body.at("reason") == "shadow.max_body");
  CHECK(gateway.metric("segue_shadow_backend_discarded_total", {"segue_backend=\"new\""}) == 2);
}

TEST_CASE("an answer as long as max_body is whole") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, numbered(10'000))));
  GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100, max_body: 10000B"));
  RawClient client(gateway.port());
  for (int i = 1; i <= 2; ++i) {
    client.get("/");
    wait_for_shadows(gateway, "sent", i);
  }
  CHECK(copies.connections() == 1);
  const auto body = recorded_kind(gateway, "SHADOW").at(1).at("response").at("body").as_object();
  CHECK(body.at("capture") == "COMPLETE");
  CHECK(body.at("size") == 10'000);
}

TEST_CASE("over max_in_flight requests are not copied, until a place is free") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  Event go_on;
  ScriptedBackend copies([&](BackendConnection& connection) {
    while (connection.request()) {
      go_on.wait();
      connection.send(response_with(200, "new"));
    }
  });
  GatewayProcess gateway(
      shadowed(legacy.port(), copies.port(), "percent: 100, max_in_flight: 2, timeout: 60s"));
  RawClient client(gateway.port());
  for (int i = 0; i < 5; ++i) CHECK(client.get("/").body == "old");
  copies.wait_for_requests(2);
  CHECK(shadows(gateway, "skipped_in_flight") == 3);
  CHECK(gateway.metric("segue_shadow_in_flight") == 2);
  go_on.set();
  wait_for_shadows(gateway, "sent", 2);
  wait_until_none_in_flight(gateway);
  client.get("/");
  wait_for_shadows(gateway, "sent", 3);
  const auto primaries = recorded_kind(gateway, "PRIMARY");
  REQUIRE(primaries.size() == 6);
  CHECK(said_of_shadow(primaries[1]) == "sent");
  CHECK(said_of_shadow(primaries[2]) == "skipped_in_flight");
  CHECK(said_of_shadow(primaries[5]) == "sent");
}

TEST_CASE("a request that does not come to its end is not copied") {
  ScriptedBackend copies(answer_always(response_with(200, "new")));
  SECTION("its answer breaks off") {
    ScriptedBackend legacy([](BackendConnection& connection) {
      connection.request();
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
    });
    GatewayProcess gateway(shadowed(legacy.port(), copies.port(), "percent: 100"));
    RawClient client(gateway.port());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const auto answer = client.reader().response();
    CHECK((!answer || !answer->whole));
    wait_for_shadows(gateway, "skipped_incomplete", 1);
    CHECK(said_of_shadow(recorded_kind(gateway, "PRIMARY").at(0)) == "skipped_incomplete");
  }
  SECTION("its backend is not there") {
    GatewayProcess gateway(shadowed(closed_port(), copies.port(), "percent: 100"));
    RawClient client(gateway.port());
    CHECK(client.get("/").status() == 502);
    wait_for_shadows(gateway, "skipped_incomplete", 1);
    CHECK(said_of_shadow(recorded_kind(gateway, "PRIMARY").at(0)) == "skipped_incomplete");
  }
  SECTION("the gateway refuses it") {
    auto config = shadowed(closed_port(), copies.port(), kWrites);
    config.with("limits", "{ body: 10B }");
    GatewayProcess gateway(config);
    RawClient client(gateway.port());
    CHECK(client.exchange(post(numbered(11))).status() == 413);
    wait_for_shadows(gateway, "skipped_incomplete", 1);
    CHECK(said_of_shadow(recorded_kind(gateway, "PRIMARY").at(0)) == "skipped_incomplete");
  }
  SECTION("the client leaves in the middle of its body") {
    ScriptedBackend legacy(answer_always(response_with(200, "old")));
    GatewayProcess gateway(shadowed(legacy.port(), copies.port(), kWrites));
    {
      RawClient client(gateway.port());
      client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nonly this");
    }
    wait_for_shadows(gateway, "skipped_incomplete", 1);
  }
  CHECK(copies.connections() == 0);
}

// A journal whose consumer reads nothing fills.
ConfigText with_small_journal(ConfigText config, std::string_view when_full) {
  return config.with("defaults", "{ record: { bodies: { max: 8KiB }, redact: {} } }")
      .with("recorder",
            fmt::format("{{ journal: {{ dir: journal, max_size: 2MiB, segment: 256KiB, consumers: "
                        "[archiver], when_full: {}, block_timeout: 30ms }} }}",
                        when_full));
}

TEST_CASE("a full journal: what is not on record is not copied, and what is promised is sent") {
  constexpr int kMany = 1000;
  ScriptedBackend legacy(answer_always(response_with(200, std::string(4096, 'x'))));
  ScriptedBackend copies(answer_always(response_with(200, std::string(4096, 'y'))));
  GatewayProcess gateway(with_small_journal(shadowed(legacy.port(), copies.port(), "percent: 100"),
                                            "{ safe: drop, unsafe: refuse }"));
  RawClient client(gateway.port());
  for (int i = 0; i < kMany; ++i) REQUIRE(client.get("/").status() == 200);
  wait_until_none_in_flight(gateway);
  CHECK(shadows(gateway, "skipped_journal") > 0);
  CHECK(gateway.metric("segue_shadow_requests_total") == kMany);
  double promised = 0;
  double without_room = 0;
  for (const auto& primary : recorded_kind(gateway, "PRIMARY")) {
    promised += said_of_shadow(primary) == "sent" ? 1 : 0;
    without_room += said_of_shadow(primary) == "skipped_journal" ? 1 : 0;
  }
  CHECK(shadows(gateway, "sent") == promised);
  CHECK(without_room > 0);
  CHECK(copies.requests().size() == static_cast<std::size_t>(promised));
}

TEST_CASE(
    "a full journal with `block`: what would find no room is not copied, and waits for nothing") {
  ScriptedBackend legacy(answer_always(response_with(200, "old")));
  ScriptedBackend copies(answer_always(response_with(200, std::string(8000, 'y'))));
  GatewayProcess gateway(with_small_journal(shadowed(legacy.port(), copies.port(), "percent: 100"),
                                            "{ safe: block, unsafe: block }"));
  RawClient client(gateway.port());
  int served = 0;
  while (client.get("/").status() == 200) REQUIRE(++served < 10'000);
  wait_until_none_in_flight(gateway);
  CHECK(shadows(gateway, "skipped_journal") > 0);
  // Room may have become scarce while a copy was under way: dropped then, and counted.
  const double dropped = gateway.metric("segue_journal_dropped_total", {"reason=\"exchange\""});
  CHECK(static_cast<double>(recorded_kind(gateway, "SHADOW").size()) + dropped >=
        shadows(gateway, "sent"));
}

}  // namespace
}  // namespace segue::test
