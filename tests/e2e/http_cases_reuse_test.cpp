// Which connection to a backend is used again, and which request is sent again.

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "tests/e2e/http_cases.hpp"

namespace segue::test {
namespace {

// A backend whose connections all begin with an exchange that goes well (/open/warm). The first
// `faults` other requests are answered with `bytes` and the end of the connection, later ones well.
class Fickle {
 public:
  Fickle(int faults, std::string bytes)
      : faults_(faults), bytes_(std::move(bytes)), backend_([this](BackendConnection& connection) {
          while (const auto request = connection.request_head()) {
            if (request->target() != "/open/warm" && faults_-- > 0) {
              connection.send(bytes_);
              return;
            }
            auto whole = *request;
            connection.reader().body(whole);
            connection.send(response_with(200, "well"));
          }
        }) {}

  std::uint16_t port() const { return backend_.port(); }
  // How often it heard the request that is not the warming one.
  std::size_t heard() const {
    std::size_t count = 0;
    for (const auto& request : backend_.requests()) count += request.target() != "/open/warm";
    return count;
  }

 private:
  std::atomic<int> faults_;
  std::string bytes_;
  ScriptedBackend backend_;  // last: its threads use the others
};

enum class Connection { fresh, pooled };

struct RetryCase {
  std::string_view name;
  std::string_view request;
  Connection connection;
  int faults;              // connections that end instead of answering
  std::string_view bytes;  // what comes before that end
  int status;              // of the client's answer
  std::size_t heard;       // by the backend
};

constexpr std::string_view kPost =
    "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
constexpr std::string_view kPut = "PUT /open HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";

constexpr RetryCase kRetryCases[] = {
    {"GET on a pooled connection is sent again", kPlain, Connection::pooled, 1, "", 200, 2},
    {"HEAD", "HEAD /open HTTP/1.1\r\nHost: a\r\n\r\n", Connection::pooled, 1, "", 200, 2},
    {"OPTIONS", "OPTIONS /open HTTP/1.1\r\nHost: a\r\n\r\n", Connection::pooled, 1, "", 200, 2},
    {"DELETE", "DELETE /open HTTP/1.1\r\nHost: a\r\n\r\n", Connection::pooled, 1, "", 200, 2},
    {"PUT whose body is still here", kPut, Connection::pooled, 1, "", 200, 2},
    {"once only", kPlain, Connection::pooled, 2, "", 502, 2},
    {"not on a fresh connection", kPlain, Connection::fresh, 1, "", 502, 1},
    {"not after a byte of an answer", kPlain, Connection::pooled, 1, "H", 502, 1},
    {"not after half a head", kPlain, Connection::pooled, 1, "HTTP/1.1 200 OK\r\nContent-", 502, 1},
    {"not after an interim answer", "GET /open HTTP/1.0\r\nHost: a\r\n\r\n", Connection::pooled, 1,
     "HTTP/1.1 103 Early Hints\r\n\r\n", 502, 1},
    {"not after an answer that makes no sense", kPlain, Connection::pooled, 1, "nonsense\r\n\r\n",
     502, 1},
    {"not POST", kPost, Connection::pooled, 1, "", 502, 1},
    {"not POST without a body", "POST /open HTTP/1.1\r\nHost: a\r\n\r\n", Connection::pooled, 1, "",
     502, 1},
    {"not PATCH", "PATCH /open HTTP/1.1\r\nHost: a\r\n\r\n", Connection::pooled, 1, "", 502, 1},
    {"not a method that nobody knows", "PURGE /open HTTP/1.1\r\nHost: a\r\n\r\n",
     Connection::pooled, 1, "", 502, 1},
    {"not a method in lower case", "get /open HTTP/1.1\r\nHost: a\r\n\r\n", Connection::pooled, 1,
     "", 502, 1},
    {"not PUT whose body streams",
     "PUT /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
     Connection::pooled, 1, "", 502, 1},
};

TEST_CASE("what is sent again after a stale connection: method, connection, bytes seen, body") {
  for (const auto& row : kRetryCases) {
    INFO(row.name);
    Fickle backend(row.faults, std::string(row.bytes));
    GatewayProcess gateway(only_open(backend.port()).with("cores", "{ count: 1 }"));
    RawClient client(gateway.port());
    if (row.connection == Connection::pooled) CHECK(client.get("/open/warm").status() == 200);
    client.send(row.request);
    const auto method = row.request.substr(0, row.request.find(' '));
    const auto answer = client.response(method);
    CHECK(answer.status() == row.status);
    CHECK(backend.heard() == row.heard);
    CHECK(answer.field("segue-error").has_value() == (row.status != 200));
    const std::vector<std::string> legacy{"segue_backend=\"legacy\""};
    const bool again = row.heard > 1;
    CHECK(gateway.metric("segue_backend_stale_retries_total", legacy) == (again ? 1 : 0));
  }
}

struct ReuseCase {
  std::string_view name;
  std::string_view request;
  std::string_view answer;
  bool used_again;
};

constexpr std::string_view kHead = "HEAD /open HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kForged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";

constexpr ReuseCase kReuseCases[] = {
    {"an answer with a length", kPlain, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
    {"an answer without content", kPlain, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true},
    {"chunks", kPlain, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
     true},
    {"chunks with extensions and trailers", kPlain,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nok\r\n0\r\nX: 1\r\n\r\n", true},
    {"an interim answer before", kPlain,
     "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true},
    {"HEAD", kHead, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true},
    {"HEAD, chunked", kHead, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true},
    {"HEAD without any framing", kHead, "HTTP/1.1 200 OK\r\n\r\n", true},
    {"204", kPlain, "HTTP/1.1 204 No Content\r\n\r\n", true},
    {"304 with the length of what it stands for", kPlain,
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", true},
    {"HTTP/1.0 that stays", kPlain,
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", true},

    {"HTTP/1.0", kPlain, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
    {"Connection: close", kPlain,
     "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false},
    {"Keep-Alive: timeout=0", kPlain,
     "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok", false},
    {"a byte beyond its length", kPlain, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\n", false},
    {"a second answer beyond its length", kPlain,
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
     "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
     false},
    {"an answer beyond the last chunk", kPlain,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
     false},
    {"an answer behind no content", kPlain,
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
     false},
    {"a body under HEAD", kHead,
     "HTTP/1.1 200 OK\r\nContent-Length: 44\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
     false},
    {"chunks under HEAD", kHead,
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", false},
    {"a body under 204", kPlain,
     "HTTP/1.1 204 No Content\r\nContent-Length: 44\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
     false},
    {"chunks under 204", kPlain,
     "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
    {"a body under 304", kPlain,
     "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged", false},
};

TEST_CASE("a connection is used again after an exchange that left no doubt, and only then") {
  for (const auto& row : kReuseCases) {
    INFO(row.name);
    std::atomic<bool> first = true;
    ScriptedBackend backend([&](BackendConnection& connection) {
      while (connection.request())
        connection.send(first.exchange(false) ? std::string(row.answer)
                                              : response_with(200, "second"));
    });
    GatewayProcess gateway(only_open(backend.port()).with("cores", "{ count: 1 }"));
    RawClient client(gateway.port());
    client.send(row.request);
    const auto method = row.request.substr(0, row.request.find(' '));
    auto answer = client.response(method);
    while (answer.status() < 200) answer = client.response(method);
    CHECK(answer.whole);
    CHECK(client.get("/open/second").body == "second");
    CHECK(backend.connections() == (row.used_again ? 1 : 2));
  }
}

TEST_CASE("what an idle connection says unasked is an answer to nobody") {
  for (const std::string_view unasked : {kForged, std::string_view("x"), std::string_view()}) {
    INFO("'" << unasked << "'");
    Event answered;
    Event ended;
    std::atomic<int> connections = 0;
    ScriptedBackend backend([&](BackendConnection& connection) {
      const bool first = ++connections == 1;
      while (connection.request()) {
        connection.send(response_with(200, first ? "first" : "second"));
        if (!first) continue;
        answered.wait();
        connection.send(unasked);
        if (unasked.empty()) connection.close();
        connection.reader().wait_for_end();
        ended.set();
        return;
      }
    });
    GatewayProcess gateway(only_open(backend.port(), "limits: { idle_time: 1h }"));
    RawClient client(gateway.port());
    CHECK(client.get("/open").body == "first");
    answered.set();
    ended.wait();  // the gateway has heard it, and closed
    CHECK(client.get("/open").body == "second");
    CHECK(backend.connections() == 2);
  }
}

TEST_CASE("an answer before the whole request was sent is the last on its connection") {
  Event answered;
  std::atomic<int> connections = 0;
  ScriptedBackend backend([&](BackendConnection& connection) {
    if (++connections > 1) {
      while (connection.request()) connection.send(response_with(200, "second"));
      return;
    }
    connection.request_head();
    connection.send(response_with(200, "early"));
    answered.wait();
    connection.reader().wait_for_end();
  });
  GatewayProcess gateway(only_open(backend.port()));
  RawClient client(gateway.port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  const auto early = client.response("POST");
  CHECK(early.body == "early");
  CHECK(early.field("connection") == "close");
  answered.set();
  client.socket().send_what_is_taken("0\r\n\r\nGET /open/hidden HTTP/1.1\r\nHost: a\r\n\r\n");
  client.reader().wait_for_end();
  CHECK(client.reader().rest().empty());
  RawClient other(gateway.port());
  CHECK(other.get("/open").body == "second");
  CHECK(backend.connections() == 2);
  for (const auto& request : backend.requests()) CHECK(request.target() == "/open");
}

}  // namespace
}  // namespace segue::test
