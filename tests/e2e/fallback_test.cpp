#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <catch2/catch_test_macros.hpp>
#include <list>
#include <string>
#include <thread>

#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

std::string at(std::uint16_t port) {
  return fmt::format("127.0.0.1:{}", port);
}

// To the new backend, and to the legacy one where that cannot be reached.
ConfigText new_or_legacy(std::uint16_t fresh, std::uint16_t legacy, std::string_view of_new = {},
                         std::string_view of_legacy = {}) {
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .backend("new", fresh, of_new)
      .backend("legacy", legacy, of_legacy)
      .route("all", "{ match: { prefix: / }, to: new, fallback: legacy }");
  return config;
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

double fallbacks(const GatewayProcess& gateway, const std::string& reason) {
  return gateway.metric("segue_fallbacks_total",
                        {"route=\"all\"", "reason=\"" + reason + "\""});
}

boost::json::object only_record(const GatewayProcess& gateway) {
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  return exchanges[0];
}

std::string fallback_of(const boost::json::object& exchange) {
  const auto& decision = exchange.at("decision").as_object();
  return decision.contains("fallback_from") ? text_of(decision.at("fallback_from")) : "";
}

TEST_CASE("a backend that cannot be reached: its requests go to the fallback, bodies whole") {
  const std::string large(200'000, 'b');
  struct Row {
    std::string request;
    std::string body;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody", "body"},
      {fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", large.size(),
                   large),
       large},
      {fmt::format("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n"
                   "0\r\n\r\n",
                   large.size(), large),
       large},
  };
  for (const Row& row : rows) {
    ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
    const std::uint16_t nobody = closed_port();
    GatewayProcess gateway(
        new_or_legacy(nobody, legacy.port(), "host: new.example", "host: legacy.example"));
    RawClient client(gateway.port());
    CHECK(client.exchange(row.request).body == "legacy");
    const auto seen = legacy.requests();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].field("host") == "legacy.example");
    CHECK((seen[0].body == row.body));
    CHECK(fallbacks(gateway, "unreachable") == 1);

    const auto exchange = only_record(gateway);
    CHECK(exchange.at("outcome") == "COMPLETED");
    CHECK(exchange.at("backend") == "legacy");
    CHECK(exchange.at("role") == "legacy");
    CHECK(text_of(exchange.at("endpoint")) == at(legacy.port()));
    CHECK(fallback_of(exchange) == "new");
    const auto& attempts = exchange.at("attempts").as_array();
    REQUIRE(attempts.size() == 2);
    CHECK(text_of(attempts[0].at("endpoint")) == at(nobody));
    CHECK(text_of(attempts[0].at("error")).find("refused") != std::string::npos);
    CHECK(text_of(attempts[1].at("endpoint")) == at(legacy.port()));
    CHECK(text_of(attempts[1].at("error")).empty());
    // The connection goes on as after any exchange.
    CHECK(client.get("/").body == "legacy");
  }
}

TEST_CASE("a backend whose TLS handshake fails is one that cannot be reached") {
  ScriptedBackend fresh(answer_always(response_with(200, "new")));
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  const Certificate certificate("inner.test");
  const Certificate stranger("inner.test");
  GatewayProcess inner(tls_to(fresh.port(), certificate_entry(certificate)));
  GatewayProcess gateway(new_or_legacy(inner.port(), legacy.port(),
                                       fmt::format("tls: {{ ca: {}, server_name: inner.test }}",
                                                   stranger.certificate_file())));
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "legacy");
  CHECK(fresh.requests().empty());
  CHECK(fallbacks(gateway, "unreachable") == 1);
}

TEST_CASE("a backend known to be unhealthy is not tried: the fallback serves at once") {
  ScriptedBackend fresh(answer_always(response_with(500, "ill")));
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  GatewayProcess gateway(new_or_legacy(
      fresh.port(), legacy.port(),
      "health: { path: /healthz, interval: 100ms, timeout: 100ms, unhealthy_after: 2 }"));
  gateway.wait_for_metric("segue_backend_endpoint_checks_total", {"result=\"status\""}, 2);
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "legacy");
  for (const Message& request : fresh.requests()) CHECK(request.target() == "/healthz");
  CHECK(fallbacks(gateway, "unhealthy") == 1);
  CHECK(fallbacks(gateway, "unreachable") == 0);
  const auto exchange = only_record(gateway);
  CHECK(fallback_of(exchange) == "new");
  CHECK(exchange.at("attempts").as_array().empty());
}

TEST_CASE("a fallback that is as unhealthy is no better: the backend is tried first") {
  ScriptedBackend fresh([](BackendConnection& connection) {
    while (const auto request = connection.request())
      connection.send(request->target() == "/healthz" ? response_with(500, "ill")
                                                      : response_with(200, "new"));
  });
  ScriptedBackend legacy(answer_always(response_with(500, "ill")));
  constexpr std::string_view kChecks =
      "health: { path: /healthz, interval: 100ms, timeout: 100ms, unhealthy_after: 1 }";
  GatewayProcess gateway(new_or_legacy(fresh.port(), legacy.port(), kChecks, kChecks));
  for (const char* backend : {"segue_backend=\"new\"", "segue_backend=\"legacy\""})
    gateway.wait_for_metric("segue_backend_endpoint_checks_total", {backend, "result=\"status\""}, 1);
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "new");
  CHECK(fallbacks(gateway, "unhealthy") == 0);
}

TEST_CASE("neither the backend nor its fallback can be reached: 502, both tries on record") {
  const std::uint16_t fresh = closed_port();
  const std::uint16_t legacy = closed_port();
  GatewayProcess gateway(new_or_legacy(fresh, legacy));
  RawClient client(gateway.port());
  const auto answer = client.get("/");
  CHECK(answer.status() == 502);
  CHECK(answer.field("segue-error") == "upstream_connect_failed");
  const auto exchange = only_record(gateway);
  CHECK(exchange.at("outcome") == "UPSTREAM_CONNECT_FAILED");
  CHECK(exchange.at("backend") == "legacy");
  CHECK(fallback_of(exchange) == "new");
  const auto& attempts = exchange.at("attempts").as_array();
  REQUIRE(attempts.size() == 2);
  CHECK(text_of(attempts[0].at("endpoint")) == at(fresh));
  CHECK(text_of(attempts[1].at("endpoint")) == at(legacy));
  for (const auto& attempt : attempts) CHECK(!text_of(attempt.at("error")).empty());
}

TEST_CASE("a request that was sent is not sent to the fallback, too") {
  ScriptedBackend fresh([](BackendConnection& connection) { connection.request(); });
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  GatewayProcess gateway(new_or_legacy(fresh.port(), legacy.port()));
  RawClient client(gateway.port());
  CHECK(client.get("/").status() == 502);
  CHECK(legacy.requests().empty());
  CHECK(fallback_of(only_record(gateway)).empty());
}

TEST_CASE("a backend of one endpoint is tried by one request, the others stay with the fallback") {
  Event over;
  ScriptedBackend fresh([&](BackendConnection& connection) {
    const auto request = connection.request();
    if (request && request->target() != "/breaks") over.wait();  // then it hangs
  });
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  GatewayProcess gateway(new_or_legacy(fresh.port(), legacy.port(),
                                       "ejection: { after: 1, base: 300ms, max: 300ms }"));
  CHECK(RawClient(gateway.port()).get("/breaks").status() == 502);
  const Deadline deadline;
  RawClient trial(gateway.port());  // served by the fallback until the time is over
  for (std::size_t served = 1; fresh.requests().size() < 2; ++served) {
    trial.send(kGet);
    while (fresh.requests().size() < 2 && legacy.requests().size() < served)
      REQUIRE(deadline.left() > 0);
    if (legacy.requests().size() == served) CHECK(trial.response().body == "legacy");
  }
  const std::size_t before = legacy.requests().size();
  constexpr std::size_t kMany = 30;
  std::list<RawClient> others;
  for (std::size_t i = 0; i < kMany; ++i) others.emplace_back(gateway.port()).send(kGet);
  while (fresh.requests().size() - 2 + legacy.requests().size() - before < kMany)
    REQUIRE(deadline.left() > 0);
  // One of each 300 ms may have been a further trial.
  CHECK(legacy.requests().size() > before);
  over.set();
}

// Takes one connection, and nobody listens any more; answers one request on it and closes when the
// second one is there.
class Leaving {
 public:
  Leaving() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
        ::listen(listener_.get(), 8) != 0)
      fail_with_errno("a listener");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Leaving() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return port_; }

 private:
  void serve() {
    Socket socket{Descriptor(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC))};
    if (!socket) return;
    ::shutdown(listener_.get(), SHUT_RDWR);
    MessageReader reader(socket);
    if (!reader.request()) return;
    socket.send_what_is_taken(response_with(200, "new"));
    reader.request();
  }

  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST_CASE("a request that was sent on a stale connection does not go to the fallback, either") {
  Leaving fresh;
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  GatewayProcess gateway(new_or_legacy(fresh.port(), legacy.port()));
  RawClient client(gateway.port());
  CHECK(client.get("/1").body == "new");
  CHECK(client.get("/2").status() == 502);
  CHECK(legacy.requests().empty());
  // What comes now finds no connection, and nothing of it is sent.
  CHECK(client.get("/3").body == "legacy");
}

TEST_CASE("a backend with too much to do is not one that cannot be reached") {
  Event go;
  ScriptedBackend fresh([&](BackendConnection& connection) {
    while (connection.request()) {
      go.wait();
      connection.send(response_with(200, "new"));
    }
  });
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  GatewayProcess gateway(new_or_legacy(fresh.port(), legacy.port(),
                                       "limits: { connections: 1, pending: 1 }"));
  RawClient first(gateway.port());
  first.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
  fresh.wait_for_requests(1);
  RawClient second(gateway.port());
  second.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  gateway.wait_for_metric("segue_backend_pending_requests", {"segue_backend=\"new\""}, 1);
  RawClient third(gateway.port());
  CHECK(third.get("/3").status() == 503);
  go.set();
  CHECK(first.response().body == "new");
  CHECK(second.response().body == "new");
  CHECK(legacy.requests().empty());
}

TEST_CASE("the fallback's own timeouts and retries hold for it") {
  Event over;
  ScriptedBackend silent([&](BackendConnection& connection) {
    connection.request();
    over.wait();
  });
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .with("backends",
            fmt::format("{{ new: {{ endpoints: [\"{}\"], timeouts: {{ first_byte: 1h }} }}, "
                        "legacy: {{ endpoints: [\"{}\", \"{}\"], timeouts: {{ first_byte: 300ms }}, "
                        "retries: {{ attempts: 1 }} }} }}",
                        at(closed_port()), at(closed_port()), at(silent.port())))
      .route("all", "{ match: { prefix: / }, to: new, fallback: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (int i = 0; i < 2; ++i) CHECK(client.get("/").status() == 504);
  over.set();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 2);
  std::size_t most = 0;
  for (const auto& exchange : exchanges) {
    CHECK(exchange.at("outcome") == "UPSTREAM_TIMEOUT");
    most = std::max(most, exchange.at("attempts").as_array().size());
  }
  CHECK(most == 3);  // new, the one of legacy that is closed, and the one that is silent
}

TEST_CASE("the fallback of a split's arm: the bucket stays, and the share is counted as it fell") {
  ScriptedBackend legacy(answer_always(response_with(200, "legacy")));
  ConfigText config;
  config.backend("new", closed_port())
      .backend("legacy", legacy.port())
      .route("all",
             "{ match: { prefix: / }, split: { legacy: 0, new: 100 }, "
             "sticky: { key: \"header:user\", missing: legacy }, fallback: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/", "User: 1\r\n").body == "legacy");
  CHECK(gateway.metric("segue_split_assignments_total", {"arm=\"new\""}) == 1);
  const auto exchange = only_record(gateway);
  CHECK(exchange.at("decision").as_object().contains("bucket"));
  CHECK(exchange.at("role") == "legacy");
  CHECK(fallback_of(exchange) == "new");
  // Who was sent to the fallback's arm has no other.
  CHECK(client.get("/").body == "legacy");
  CHECK(fallbacks(gateway, "unreachable") == 1);
}

TEST_CASE("a copy for the backend that now serves is not sent") {
  ScriptedBackend fresh(answer_always(response_with(200, "new")));
  ConfigText config;
  config.backend("legacy", closed_port())
      .backend("new", fresh.port())
      .route("all",
             "{ match: { prefix: / }, to: legacy, fallback: new, "
             "shadow: { to: new, percent: 100 } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  CHECK(client.get("/").body == "new");
  CHECK(gateway.metric("segue_shadow_requests_total",
                       {"route=\"all\"", "result=\"skipped_same_backend\""}) == 1);
  CHECK(fresh.requests().size() == 1);
  CHECK(text_of(only_record(gateway).at("decision").at("shadow")) == "skipped_same_backend");
}

}  // namespace
}  // namespace segue::test
