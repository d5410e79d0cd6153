#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

using namespace std::string_literals;

struct BadResponse {
  const char* name;
  std::string bytes;
};

const std::vector<BadResponse>& bad_responses() {
  static const std::vector<BadResponse> rows{
      {"TE and CL together",
       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"differing CLs", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
      {"gzip, chunked",
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
      {"no status line", "hello world\r\n\r\n"},
      {"bare CR", "HTTP/1.1 200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n"},
      {"NUL", "HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n"s},
      {"space before colon", "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n"},
      {"obs-fold", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n"},
      {"negative CL", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"},
      {"101 that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
      {"ended inside the head", "HTTP/1.1 200 OK\r\nContent-Le"},
      {"nothing at all", ""},
  };
  return rows;
}

TEST_CASE("a malformed response is a 502, and its connection is not used again") {
  for (const auto& row : bad_responses()) {
    DYNAMIC_SECTION(row.name) {
      std::atomic<int> served = 0;
      ScriptedBackend backend([&](BackendConnection& connection) {
        while (connection.request()) {
          if (served++ > 0) {
            connection.send(response_with(200, "recovered"));
            continue;
          }
          connection.send(row.bytes);
          // What ends early ends here; the rest is left for the gateway to close.
          if (row.bytes.empty() || !row.bytes.ends_with('\n')) return;
        }
      });
      GatewayProcess gateway(all_to(backend.port()));
      RawClient client(gateway.port());
      const auto answer = client.get("/");
      CHECK(answer.status() == 502);
      CHECK(answer.field("segue-error").has_value());
      CHECK_FALSE(answer.body.empty());
      RawClient next(gateway.port());
      CHECK(next.get("/").body == "recovered");
      CHECK(backend.connections() == 2);
    }
  }
}

TEST_CASE("bytes beyond a response are not delivered, and its connection is discarded") {
  std::atomic<int> served = 0;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      connection.send(served++ == 0 ? response_with(200, "abc") + response_with(200, "smuggled")
                                    : response_with(200, "clean"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  CHECK(client.get("/1").body == "abc");
  CHECK(client.get("/2").body == "clean");
  CHECK(backend.connections() == 2);
}

TEST_CASE("bytes after a HEAD response poison the upstream connection") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      connection.send(request->method() == "HEAD"
                          ? "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"
                          : response_with(200, "clean"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.exchange("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.get("/").body == "clean");
  CHECK(backend.connections() == 2);
}

TEST_CASE("an end inside a body aborts the client, never a clean end") {
  const auto response =
      GENERATE(as<std::string>{}, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nzz\r\n");
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    connection.send(response);
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = client.reader().response();
  // Damage that was seen before anything was sent to the client is still a 502.
  if (answer && answer->status() != 502) {
    CHECK_FALSE(answer->whole);
  }
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "UPSTREAM_RESET");
}

TEST_CASE("nobody listens: 502 that cannot be mistaken for the backend's") {
  GatewayProcess gateway(all_to(closed_port()));
  RawClient client(gateway.port());
  const auto answer = client.get("/", "Accept: application/json\r\n");
  CHECK(answer.status() == 502);
  CHECK(answer.field("segue-error").has_value());
  CHECK(answer.field("content-type").value_or("").find("json") != std::string::npos);
  const auto page = client.get("/", "Accept: text/html\r\n");
  CHECK(page.field("content-type").value_or("").find("html") != std::string::npos);
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 2);
  CHECK(exchanges[0].at("outcome") == "UPSTREAM_CONNECT_FAILED");
}

TEST_CASE("the body of a request that no backend took is never read as the next request") {
  GatewayProcess gateway(all_to(closed_port()));
  RawClient client(gateway.port());
  const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const auto first = client.exchange(fmt::format(
      "POST /first HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", hidden.size(), hidden));
  CHECK(first.status() == 502);
  if (first.field("connection") != "close") {
    CHECK(client.get("/second").status() == 502);
  }
  for (const auto& exchange : recorded(gateway.journal()))
    CHECK(exchange.at("request").at("target") != "/hidden");
}

TEST_CASE("a backend that stays silent: 504 at the first byte, and at the total") {
  const auto timeouts =
      GENERATE(as<std::string>{}, "timeouts: { first_byte: 200ms }", "timeouts: { total: 200ms }");
  Event done;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    done.wait();
  });
  GatewayProcess gateway(all_to(backend.port(), timeouts));
  RawClient client(gateway.port());
  const auto answer = client.get("/");
  done.set();
  CHECK(answer.status() == 504);
  CHECK(answer.field("segue-error").has_value());
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "UPSTREAM_TIMEOUT");
}

TEST_CASE("a response that never pauses is cut at the total limit") {
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.request();
    const std::string chunk = "1000\r\n" + std::string(0x1000, 'x') + "\r\n";
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (connection.socket().send_what_is_taken(chunk) == chunk.size()) {
    }
  });
  GatewayProcess gateway(all_to(backend.port(), "timeouts: { total: 300ms }"));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = client.reader().response();
  if (answer) {
    CHECK_FALSE(answer->whole);
  }
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "UPSTREAM_TIMEOUT");
}

TEST_CASE("a client that is found gone by an interim answer holds no connection for the final one") {
  Event left;
  Event ended;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    left.wait();
    connection.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    connection.reader().wait_for_end();
    ended.set();
  });
  GatewayProcess gateway(all_to(backend.port(), "timeouts: { first_byte: none }"));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  client.socket().reset();
  left.set();
  ended.wait();
  gateway.wait_for_metric("segue_client_aborts_total", {}, 1);
}

TEST_CASE("a response behind many interim ones has as much room as any other") {
  const std::string filler(2000, 'l');
  const std::string body(200'000, 'b');
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      std::string all;
      for (int i = 0; i < 30; ++i)
        all += "HTTP/1.1 103 Early Hints\r\nLink: " + filler + "\r\n\r\n";
      connection.send(all + response_with(200, body, "X-Last: here\r\n"));
    }
  });
  GatewayProcess gateway(all_to(backend.port()));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 30; ++i) CHECK(client.response().status() == 103);
  CHECK((client.response().body == body));
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(recorded_header(exchanges[0].at("response").as_object(), "x-last") == "here");
}

TEST_CASE("a backend that stops taking a body and stays silent: 504, not a wait for ever") {
  Event done;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request_head();
    done.wait();
  });
  GatewayProcess gateway(all_to(backend.port(), "timeouts: { idle: 200ms, first_byte: 200ms }"));
  RawClient client(gateway.port());
  const std::string large(std::size_t{64} << 20, 'u');
  client.send(fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", large.size()));
  std::thread sender([&] { client.socket().send_what_is_taken(large); });
  const auto answer = client.reader().response("POST");
  done.set();
  sender.join();
  REQUIRE(answer);
  CHECK(answer->status() == 504);
}

TEST_CASE("a backend that stalls inside a body is cut at its idle limit") {
  Event done;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    done.wait();
  });
  GatewayProcess gateway(all_to(backend.port(), "timeouts: { idle: 200ms }"));
  RawClient client(gateway.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto answer = client.reader().response();
  done.set();
  if (answer) {
    CHECK_FALSE(answer->whole);
  }
}

// Serves one request a connection, then closes it as soon as the second begins.
ScriptedBackend::Script stale_after_one(std::atomic<int>& connections) {
  return [&connections](BackendConnection& connection) {
    ++connections;
    connection.request();
    connection.send(response_with(200, "first"));
    if (connections == 1) {
      connection.request();
      return;  // a second request on the first connection: closed without an answer
    }
    while (connection.request()) connection.send(response_with(200, "again"));
  };
}

TEST_CASE("a pooled connection that went stale: an idempotent request is sent once more") {
  std::atomic<int> connections = 0;
  ScriptedBackend backend(stale_after_one(connections));
  GatewayProcess gateway(all_to(backend.port()).with("cores", "{ count: 1 }"));
  RawClient client(gateway.port());
  CHECK(client.get("/1").body == "first");
  const auto second = client.get("/2");
  CHECK(second.status() == 200);
  CHECK(backend.requests().size() == 3);
}

TEST_CASE("a pooled connection that went stale: a POST is never sent twice") {
  std::atomic<int> connections = 0;
  ScriptedBackend backend(stale_after_one(connections));
  GatewayProcess gateway(all_to(backend.port()).with("cores", "{ count: 1 }"));
  RawClient client(gateway.port());
  CHECK(client.get("/1").body == "first");
  client.send("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
  client.response();
  std::size_t posts = 0;
  for (const auto& request : backend.requests()) posts += request.method() == "POST" ? 1 : 0;
  CHECK(posts == 1);
}

TEST_CASE("the pending limit of a backend: 503, counted, while the one in flight is served") {
  Event go;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      go.wait();
      connection.send(response_with(200, "late"));
    }
  });
  auto config = all_to(backend.port(), "limits: { connections: 1, pending: 1 }");
  config.with("cores", "{ count: 1 }");
  GatewayProcess gateway(config);
  RawClient first(gateway.port());
  first.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  RawClient second(gateway.port());
  RawClient third(gateway.port());
  second.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  third.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  gateway.wait_for_metric("segue_limit_refusals_total", {}, 1);
  go.set();
  CHECK(first.response().status() == 200);
  std::vector<int> statuses{second.response().status(), third.response().status()};
  std::ranges::sort(statuses);
  CHECK(statuses == std::vector{200, 503});
}

TEST_CASE("who waits for a connection that others hold waits no longer than for an answer") {
  Event go;
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (connection.request()) {
      go.wait();
      connection.send(response_with(200, "late"));
    }
  });
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .backend("legacy", backend.port(), "limits: { connections: 1 }")
      .route("patient", "{ match: { prefix: /patient }, to: legacy }")
      .route("hasty", "{ match: { prefix: /hasty }, to: legacy, timeouts: { first_byte: 200ms } }");
  GatewayProcess gateway(config);
  RawClient first(gateway.port());
  first.send("GET /patient HTTP/1.1\r\nHost: a\r\n\r\n");
  backend.wait_for_requests(1);
  RawClient second(gateway.port());
  CHECK(second.get("/hasty").status() == 504);
  go.set();
  CHECK(first.response().status() == 200);
}

TEST_CASE("several endpoints of a backend share its connections evenly") {
  Event all_there;
  const auto held = [&](BackendConnection& connection) {
    while (connection.request()) {
      all_there.wait();
      connection.send(response_with(200, "x"));
    }
  };
  ScriptedBackend one(held);
  ScriptedBackend two(held);
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"127.0.0.1:{}\", "
                                    "\"127.0.0.1:{}\"] }} }}",
                                    one.port(), two.port()))
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  std::list<RawClient> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back(gateway.port()).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  one.wait_for_requests(5);
  two.wait_for_requests(5);
  all_there.set();
  for (auto& client : clients) CHECK(client.response().status() == 200);
}

TEST_CASE("a backend known by name is reached where it listens, whatever else the name stands for") {
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  ConfigText config;
  config.with("backends", fmt::format("{{ legacy: {{ endpoints: [\"localhost:{}\"] }} }}", backend.port()))
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  for (int i = 0; i < 6; ++i) {  // a connection each
    RawClient client(gateway.port());
    CHECK(client.get("/", "Connection: close\r\n").body == "here");
  }
  CHECK(gateway.metric("segue_backend_connect_failures_total", {"segue_backend=\"legacy\""}) == 0);
}

TEST_CASE("a backend whose name nobody knows is a 502, soon") {
  ConfigText config;
  config.with("backends", "{ legacy: { endpoints: [\"nobody.invalid:80\"] } }")
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/").status() == 502);
}

TEST_CASE("requests that share one connection are all served, first come first served") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  ConfigText config = all_to(backend.port(), "limits: { connections: 1, pending: 64 }");
  config.with("cores", "{ count: 1 }");
  GatewayProcess gateway(config);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) clients.push_back(std::make_unique<RawClient>(gateway.port()));
  for (int round = 0; round < 10; ++round) {
    for (auto& client : clients) client->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (auto& client : clients) CHECK(client->response().status() == 200);
  }
  CHECK(gateway.metric("segue_backend_connections", {"segue_backend=\"legacy\""}) <= 1);
}

}  // namespace
}  // namespace segue::test
