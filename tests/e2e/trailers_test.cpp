// Trailers behind chunked bodies: those that a route's lists name pass, behind the gateway's own
// chunks, to who takes them; all others are dropped.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/e2e/http_cases.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kDropped = "segue_trailers_dropped_total";

ConfigText with_trailers(std::uint16_t port, std::string_view request, std::string_view response) {
  ConfigText config;
  config.with("cores", "{ count: 1 }");
  config.backend("legacy", port);
  config.route("all", fmt::format("{{ match: {{ prefix: / }}, to: legacy, trailers: {{ request: "
                                  "[{}], response: [{}] }} }}",
                                  request, response));
  return config;
}

// What the backend heard behind the head of one chunked request, and what it had been told of it.
struct Heard {
  std::string raw_head;
  std::string body;  // with its chunks
};

// Reads a chunked request to its last empty line, as bytes.
ScriptedBackend::Script hear(Heard& heard) {
  return [&heard](BackendConnection& connection) {
    while (const auto head = connection.request_head()) {
      if (head->chunked) {
        heard.raw_head = head->raw_head;
        heard.body.clear();
        while (!heard.body.ends_with("\r\n\r\n")) {
          const auto more = connection.reader().some(1);
          if (more.empty()) return;
          heard.body += more;
        }
      }
      connection.send(response_with(200, "ok"));
    }
  };
}

TEST_CASE("request trailers of the list pass, behind the gateway's own chunks; others are counted") {
  Heard heard;
  ScriptedBackend backend(hear(heard));
  GatewayProcess gateway(with_trailers(backend.port(), "X-Checksum, Grpc-Status", ""));
  RawClient client(gateway.port());
  client.send(
      "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Trailer: X-Checksum, Content-Length, X-Other\r\n\r\n"
      "3;x=y\r\nabc\r\n0\r\nX-Other: 1\r\nx-checksum:  77 \r\nContent-Length: 9\r\n"
      "grpc-status:0\r\nX-CHECKSUM: 78\r\n\r\n");
  CHECK(client.response("POST").status() == 200);
  CHECK(heard.raw_head.find("Trailer: X-Checksum\r\n") != std::string::npos);
  CHECK(heard.body == "3\r\nabc\r\n0\r\nx-checksum: 77\r\ngrpc-status: 0\r\nX-CHECKSUM: 78\r\n\r\n");
  CHECK(gateway.metric(kDropped) == 2);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  const auto& trailers = exchanges[0].at("request").at("trailers").as_array();
  REQUIRE(trailers.size() == 3);
  CHECK(text_of(trailers[0].at("name")) == "x-checksum");
  CHECK(text_of(trailers[0].at("value")) == "77");
}

TEST_CASE("request trailers that come in pieces pass as those that come at once") {
  Heard heard;
  ScriptedBackend backend(hear(heard));
  GatewayProcess gateway(with_trailers(backend.port(), "X-Checksum", ""));
  RawClient client(gateway.port());
  const std::string_view rest = "0\r\nX-Checksum: 77\r\nY: 1\r\n\r\n";
  client.send("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  backend.wait_for_requests(1);
  client.send("3\r\nabc\r\n");  // at once: content that comes in pieces goes on in chunks of its own
  for (const char c : rest) client.send({&c, 1});
  CHECK(client.response("POST").status() == 200);
  CHECK(heard.body == "3\r\nabc\r\n0\r\nX-Checksum: 77\r\n\r\n");
}

TEST_CASE("a trailer that Connection nominates is dropped, and one without a list, too") {
  for (const char* list : {"X-Checksum", ""}) {
    INFO(list);
    Heard heard;
    ScriptedBackend backend(hear(heard));
    GatewayProcess gateway(with_trailers(backend.port(), list, ""));
    RawClient client(gateway.port());
    client.send(
        "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
        "Connection: X-Checksum\r\nTrailer: X-Checksum\r\n\r\n"
        "3\r\nabc\r\n0\r\nX-Checksum: 77\r\n\r\n");
    CHECK(client.response("POST").status() == 200);
    CHECK(client.get("/b").status() == 200);  // the connection goes on
    CHECK(heard.body == "3\r\nabc\r\n0\r\n\r\n");
    CHECK(heard.raw_head.find("Trailer") == std::string::npos);
  }
}

TEST_CASE("damaged request trailers are refused, also where a list lets some pass") {
  for (const char* damage : {"X-Checksum 77\r\n", "X-Checksum : 77\r\n", " X-Checksum: 77\r\n",
                             "X-Checksum: 7\r\n 7\r\n", "X-Checksum: 77\n", ": 77\r\n"}) {
    INFO(damage);
    Heard heard;
    ScriptedBackend backend(hear(heard));
    GatewayProcess gateway(with_trailers(backend.port(), "X-Checksum", ""));
    RawClient client(gateway.port());
    client.send(fmt::format("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n0\r\n{}\r\n",
                            damage));
    CHECK(client.response("POST").status() == 400);
    CHECK(backend.requests().empty());
  }
}

// A row of the table below: what a client sends, and what it gets of the answer.
struct ResponseCase {
  std::string_view name;
  std::string_view request;
  bool takes;  // trailers pass, and the backend was told so
  std::string_view at_client;
};

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Content-Type, Server-Timing, "
    "X-Other\r\n\r\n2;x=y\r\nok\r\n0\r\nX-Other: 1\r\nServer-Timing: db;dur=1\r\n"
    "Content-Type: text/html\r\n\r\n";
constexpr std::string_view kWithout =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nVia: 1.1 segue\r\n\r\n2\r\nok\r\n0\r\n\r\n";
constexpr std::string_view kWith =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Server-Timing\r\nVia: 1.1 "
    "segue\r\n\r\n2\r\nok\r\n0\r\nServer-Timing: db;dur=1\r\n\r\n";

TEST_CASE("response trailers of the list pass to a client that said TE: trailers, and to no other") {
  const std::vector<ResponseCase> rows = {
      {"a client that takes them",
       "GET /a HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n", true, kWith},
      {"among other codings, in capitals",
       "GET /a HTTP/1.1\r\nHost: a\r\nTE: gzip;q=0.5, Trailers\r\n\r\n", true, kWith},
      {"a client that says nothing", "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", false, kWithout},
      {"one that takes codings only", "GET /a HTTP/1.1\r\nHost: a\r\nTE: gzip\r\n\r\n", false,
       kWithout},
      {"HTTP/1.0, whatever it says", "GET /a HTTP/1.0\r\nHost: a\r\nTE: trailers\r\n\r\n", false,
       "HTTP/1.1 200 OK\r\nVia: 1.1 segue\r\nConnection: close\r\n\r\nok"},
  };
  for (const auto& row : rows) {
    INFO(row.name);
    ScriptedBackend backend(answer_always(std::string(kAnswer)));
    GatewayProcess gateway(with_trailers(backend.port(), "", "server-timing"));
    RawClient client(gateway.port());
    client.send(row.request);
    CHECK(undated(client.reader().some(row.at_client.size() + kDateLineBytes)) == row.at_client);
    const auto request = backend.requests().at(0);
    CHECK(request.field("te") == (row.takes ? std::optional<std::string>("trailers") : std::nullopt));
    CHECK(request.field("connection") ==
          (row.takes ? std::optional<std::string>("TE") : std::nullopt));
    CHECK(gateway.metric(kDropped) == (row.takes ? 2 : 3));
    const auto exchanges = recorded(gateway.journal());
    REQUIRE(exchanges.size() == 1);
    CHECK(exchanges[0].at("response").at("trailers").as_array().size() == 1);
  }
}

TEST_CASE("without a list no trailers pass, and the backend is not told that any would") {
  ScriptedBackend backend(answer_always(std::string(kAnswer)));
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("GET /a HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  CHECK(undated(client.reader().some(kWithout.size() + kDateLineBytes)) == kWithout);
  CHECK_FALSE(backend.requests().at(0).field("te"));
  CHECK(gateway.metric(kDropped) == 3);
  CHECK_FALSE(recorded(gateway.journal()).at(0).at("response").as_object().contains("trailers"));
}

TEST_CASE("damaged response trailers cut the answer") {
  ScriptedBackend backend(
      answer_always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
                    "Server-Timing 1\r\n\r\n"));
  GatewayProcess gateway(with_trailers(backend.port(), "", "server-timing"));
  RawClient client(gateway.port());
  client.send("GET /a HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
  CHECK(client.response().status() == 502);
}

TEST_CASE("trailers on record are redacted as headers are") {
  ScriptedBackend backend(answer_always(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nSecret: 1\r\n\r\n"));
  ConfigText config;
  config.backend("legacy", backend.port());
  config.route("all",
               "{ match: { prefix: / }, to: legacy, trailers: { response: [secret] }, "
               "record: { redact: { headers: [secret] } } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.send("GET /a HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
  const std::string_view end = "0\r\nSecret: 1\r\n\r\n";
  client.reader().head();
  CHECK(client.reader().some(end.size()).ends_with(end));
  const auto exchange = recorded(gateway.journal()).at(0);
  CHECK(text_of(exchange.at("response").at("trailers").as_array().at(0).at("value")) == "***");
}

}  // namespace
}  // namespace segue::test
