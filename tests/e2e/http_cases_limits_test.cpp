// Limits on slowness: who is cut, who is waited for, and which connection is not used again.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>
#include <thread>

#include "tests/e2e/http_cases.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::chrono::milliseconds kSlowPeerTrickle{50};   // between two bytes of a slow client
constexpr std::chrono::milliseconds kSlowPeerPause{1'200};  // between two pieces of a slow client
constexpr std::chrono::milliseconds kSlowPeerStall{1'500};  // longer than the backend may take

// A port whose queue is full: who connects to it gets no answer.
class DeafPort {
 public:
  DeafPort() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), any, size) != 0 || ::listen(listener_.get(), 0) != 0 ||
        ::getsockname(listener_.get(), any, &size) != 0) {
      fail_with_errno("a port that nobody answers at");
    }
    port_ = ntohs(address.sin_port);
    first_.emplace(Socket::connect(port_));
  }
  std::uint16_t port() const { return port_; }

 private:
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::optional<Socket> first_;
};

TEST_CASE("a body that trickles in below the minimum rate is 408") {
  Believer backend;
  GatewayProcess gateway(
      only_open(backend.port()).with("limits", "{ body_idle: 300ms, min_rate: 1MiB }"));
  for (const char* framing : {"Content-Length: 100", "Transfer-Encoding: chunked"}) {
    INFO(framing);
    RawClient client(gateway.port());
    client.send(fmt::format("POST /open HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n", framing));
    const std::string_view piece = framing[0] == 'C' ? "x" : "1\r\nx\r\n";
    for (int i = 0; i < 99 && !client.socket().readable_now(); ++i) {
      client.socket().send_what_is_taken(piece);
      std::this_thread::sleep_for(kSlowPeerTrickle);
    }
    CHECK(client.response().status() == 408);
  }
  for (const auto& request : backend.requests()) CHECK_FALSE(request.whole);
  const std::vector<std::string> rate{"limit=\"min_rate\""};
  CHECK(gateway.metric("segue_limit_refusals_total", rate) == 2);
}

// A second's worth at once every now and then is below the rate, too.
TEST_CASE("a body that comes in large pieces with long pauses below the minimum rate is 408") {
  Believer backend;
  GatewayProcess gateway(
      only_open(backend.port()).with("limits", "{ body_idle: 1500ms, min_rate: 1KiB }"));
  RawClient client(gateway.port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n");
  const std::string piece(1024, 'x');
  for (int i = 0; i < 30 && !client.socket().readable_now(); ++i) {
    client.socket().send_what_is_taken(piece);
    std::this_thread::sleep_for(kSlowPeerPause);
  }
  CHECK(client.response().field("segue-error") == "body_too_slow");
  for (const auto& request : backend.requests()) CHECK_FALSE(request.whole);
}

TEST_CASE("a body that began fast and then trickles is 408, however much it brought before") {
  Believer backend;
  GatewayProcess gateway(
      only_open(backend.port()).with("limits", "{ body_idle: 300ms, min_rate: 1KiB }"));
  RawClient client(gateway.port());
  client.send("POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n");
  client.send(std::string(std::size_t{1} << 20, 'x'));
  for (int i = 0; i < 100 && !client.socket().readable_now(); ++i) {
    client.socket().send_what_is_taken("x");
    std::this_thread::sleep_for(kSlowPeerTrickle);
  }
  CHECK(client.response().field("segue-error") == "body_too_slow");
}

TEST_CASE("a client that a slow backend holds up is not slow itself") {
  Event go_on;
  ScriptedBackend backend([&](BackendConnection& connection) {
    auto request = connection.request_head();
    go_on.wait();
    connection.reader().body(*request);
    connection.send(response_with(200, std::to_string(request->body.size())));
  });
  GatewayProcess gateway(
      only_open(backend.port()).with("limits", "{ body_idle: 300ms, min_rate: 1MiB }"));
  RawClient client(gateway.port());
  const std::string body(std::size_t{32} << 20, 'x');
  std::thread sender([&] {
    client.socket().send_what_is_taken(fmt::format(
        "POST /open HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  });
  backend.wait_for_requests(1);
  std::this_thread::sleep_for(kSlowPeerStall);
  go_on.set();
  const auto answer = client.response("POST");
  sender.join();
  CHECK(answer.status() == 200);
  CHECK(answer.body == std::to_string(body.size()));
}

TEST_CASE("a backend that takes no connection is given up at the connect limit") {
  const DeafPort deaf;
  GatewayProcess gateway(only_open(deaf.port(), "timeouts: { connect: 200ms }"));
  RawClient client(gateway.port());
  const auto answer = client.get("/open");
  CHECK(answer.status() == 504);
  CHECK(answer.field("segue-error") == "upstream_connect_timeout");
  CHECK(gateway.metric("segue_limit_refusals_total", {"limit=\"connect\""}) == 1);
}

TEST_CASE("an idle connection to a backend is given up at its time, or when the backend says so") {
  for (const auto& [keys, fields] :
       {std::pair{"limits: { idle_time: 200ms }", ""},
        std::pair{"limits: { idle_time: 1h }", "Keep-Alive: timeout=1\r\n"}}) {
    INFO(keys);
    Event first_ended;
    ScriptedBackend backend([&](BackendConnection& connection) {
      while (connection.request()) connection.send(response_with(200, "x", fields));
      first_ended.set();
    });
    GatewayProcess gateway(only_open(backend.port(), keys));
    RawClient client(gateway.port());
    CHECK(client.get("/open").status() == 200);
    first_ended.wait();
    CHECK(client.get("/open").status() == 200);
    CHECK(backend.connections() == 2);
  }
}

TEST_CASE("a client that stalls does not count against the backend") {
  const std::size_t size = std::size_t{32} << 20;
  Believer backend(response_with(200, std::string(size, 'b')));
  GatewayProcess gateway(only_open(backend.port(), "timeouts: { idle: 500ms }"));
  RawClient client(gateway.port(), 4096);
  client.send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(kSlowPeerStall);
  const auto answer = client.response();
  CHECK(answer.status() == 200);
  CHECK(answer.whole);
  CHECK(answer.body.size() == size);
}

TEST_CASE("a client that takes nothing of its answer is cut, and so is the backend's connection") {
  const auto large = response_with(200, std::string(std::size_t{32} << 20, 'b'));
  Event cut;
  std::atomic<bool> all_taken = false;
  ScriptedBackend backend([&](BackendConnection& connection) {
    connection.request();
    all_taken = connection.socket().send_what_is_taken(large) == large.size();
    cut.set();
  });
  GatewayProcess gateway(only_open(backend.port()).with("limits", "{ send_idle: 200ms }"));
  RawClient client(gateway.port(), 4096);
  client.send("GET /open HTTP/1.1\r\nHost: a\r\n\r\n");
  cut.wait();
  CHECK_FALSE(all_taken);
  const auto answer = client.reader().response();
  if (answer) CHECK_FALSE(answer->whole);
  gateway.wait_for_metric("segue_limit_refusals_total", {"limit=\"send_idle\""}, 1);
  gateway.stop();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("outcome") == "CLIENT_ABORTED");
}

}  // namespace
}  // namespace segue::test
