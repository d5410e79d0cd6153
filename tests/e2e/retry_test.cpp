#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>

#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {
namespace {

std::string at(std::uint16_t port) {
  return fmt::format("127.0.0.1:{}", port);
}

// One core, and no endpoint is ever taken out: what becomes of a request depends on it alone.
ConfigText spread_over(std::uint16_t one, std::uint16_t two, std::string_view more) {
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"{}\", \"{}\"], "
                                    "ejection: {{ after: 0 }}, {} }} }}",
                                    at(one), at(two), more))
      .route("all", "{ match: { prefix: / }, to: legacy }");
  return config;
}

double retries(const GatewayProcess& gateway, const std::string& result) {
  return gateway.metric("segue_backend_retries_total", {"result=\"" + result + "\""});
}

// The tries of all exchanges on record that did not succeed at once.
std::vector<boost::json::array> tries(const GatewayProcess& gateway) {
  std::vector<boost::json::array> all;
  for (const auto& exchange : recorded(gateway.journal())) {
    const auto& attempts = exchange.at("attempts").as_array();
    if (!attempts.empty()) all.push_back(attempts);
  }
  return all;
}

std::string post(std::string_view body) {
  return fmt::format("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", body.size(),
                     body);
}
std::string streamed_post(std::string_view body) {
  return fmt::format(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
      body.size(), body);
}

TEST_CASE("a request that reaches no one at its endpoint goes to another one, whatever its method") {
  const std::string large(200'000, 'b');
  const std::string requests[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", post("a body"),
                                  streamed_post(large)};
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  const std::uint16_t nobody = closed_port();
  GatewayProcess gateway(spread_over(nobody, backend.port(), "retries: { attempts: 1 }"));
  RawClient client(gateway.port());
  for (const std::string& request : requests) CHECK(client.exchange(request).status() == 200);
  for (const std::string& request : requests) CHECK(client.exchange(request).status() == 200);
  const auto seen = backend.requests();
  REQUIRE(seen.size() == 6);
  for (std::size_t i = 0; i < 6; i += 3) {
    CHECK(seen[i + 1].body == "a body");
    CHECK((seen[i + 2].body == large));
  }
  const auto twice = tries(gateway);
  CHECK(!twice.empty());
  CHECK(retries(gateway, "connected") == static_cast<double>(twice.size()));
  for (const auto& attempts : twice) {
    REQUIRE(attempts.size() == 2);
    CHECK(text_of(attempts[0].at("endpoint")) == at(nobody));
    CHECK(text_of(attempts[0].at("error")).find("refused") != std::string::npos);
    CHECK(text_of(attempts[1].at("endpoint")) == at(backend.port()));
    CHECK(text_of(attempts[1].at("error")).empty());
  }
}

TEST_CASE("without retries a request that reaches no one is a 502") {
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  GatewayProcess gateway(spread_over(closed_port(), backend.port(), "retries: { attempts: 0 }"));
  RawClient client(gateway.port());
  std::vector<int> statuses{client.get("/").status(), client.get("/").status()};
  std::ranges::sort(statuses);
  CHECK(statuses == std::vector{200, 502});
}

TEST_CASE("a budget that is spent ends retries: each request is tried once") {
  constexpr std::size_t kRequests = 40;
  GatewayProcess gateway(
      spread_over(closed_port(), closed_port(), "retries: { attempts: 1 }, retry_budget_percent: 10"));
  RawClient client(gateway.port());
  for (std::size_t i = 0; i < kRequests; ++i) CHECK(client.exchange(post("x")).status() == 502);
  const double spent = gateway.metric("segue_backend_retry_budget_exhausted_total");
  CHECK(spent > 0);
  CHECK(retries(gateway, "failed") >= 13);  // ten to begin with, and three that were earned
  CHECK(retries(gateway, "failed") + spent == kRequests);
  CHECK(retries(gateway, "connected") == 0);
  double once = 0;
  const auto all = tries(gateway);
  CHECK(all.size() == kRequests);
  for (const auto& attempts : all) once += attempts.size() == 1 ? 1 : 0;
  CHECK(once == spent);
}

TEST_CASE("a request that is sent again on a fresh connection earns no more than others") {
  constexpr int kRequests = 100;
  std::optional<ScriptedBackend> backend([](BackendConnection& connection) {
    if (!connection.request()) return;
    connection.send(response_with(200, "x"));
    connection.request();  // and closes
  });
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .backend("legacy", backend->port(),
               "ejection: { after: 0 }, retries: { attempts: 1 }, retry_budget_percent: 10")
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (int i = 0; i < kRequests; ++i) CHECK(client.get("/").status() == 200);
  REQUIRE(gateway.metric("segue_backend_stale_retries_total") == kRequests - 1);
  backend.reset();
  for (int i = 0; i < kRequests; ++i) CHECK(client.get("/").status() == 502);
  // Ten to begin with, ten for each hundred requests, and hardly any that time brought.
  CHECK(retries(gateway, "failed") >= 29);
  CHECK(retries(gateway, "failed") < 36);
}

TEST_CASE("all endpoints are tried before one is tried again") {
  const std::uint16_t one = closed_port();
  const std::uint16_t two = closed_port();
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .with("backends", fmt::format("{{ legacy: {{ endpoints: [\"{}\", \"{}\", \"{}\"], "
                                    "balance: least_requests, ejection: {{ after: 0 }}, "
                                    "retries: {{ attempts: 2 }}, retry_budget_percent: 100 }} }}",
                                    at(one), at(two), at(backend.port())))
      .route("all", "{ match: { prefix: / }, to: legacy }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  for (int i = 0; i < 10; ++i) CHECK(client.get("/").status() == 200);
}

TEST_CASE("an endpoint that fails its handshake, or never begins it, is one that was not reached") {
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  const Certificate certificate("inner.test");
  GatewayProcess inner(tls_to(backend.port(), certificate_entry(certificate)));
  Event over;
  ScriptedBackend closes([](BackendConnection& connection) { connection.close(); });
  ScriptedBackend silent([&](BackendConnection&) { over.wait(); });
  for (const std::uint16_t broken : {closes.port(), silent.port()}) {
    GatewayProcess gateway(spread_over(
        broken, inner.port(),
        fmt::format("retries: {{ attempts: 1, on: [connect-failure] }}, timeouts: {{ connect: 1s }}, "
                    "tls: {{ ca: {}, server_name: inner.test }}",
                    certificate.certificate_file())));
    RawClient client(gateway.port());
    CHECK(client.exchange(post("one")).status() == 200);
    CHECK(client.exchange(post("two")).status() == 200);
    const auto twice = tries(gateway);
    REQUIRE(!twice.empty());
    CHECK(text_of(twice[0][0].at("endpoint")) == at(broken));
  }
  over.set();
  CHECK(backend.requests().size() == 4);
}

TEST_CASE("what was sent is never sent again to another endpoint") {
  ScriptedBackend closes([](BackendConnection& connection) { connection.request(); });
  ScriptedBackend backend(answer_always(response_with(200, "here")));
  GatewayProcess gateway(spread_over(closes.port(), backend.port(), "retries: { attempts: 3 }"));
  RawClient client(gateway.port());
  std::vector<int> statuses{client.get("/").status(), client.get("/").status()};
  std::ranges::sort(statuses);
  CHECK(statuses == std::vector{200, 502});
  CHECK(closes.requests().size() == 1);
  for (const auto& exchange : recorded(gateway.journal()))
    if (text_of(exchange.at("outcome")) == "UPSTREAM_RESET") {
      // The gateway's own answer is not the endpoint's.
      REQUIRE(exchange.at("attempts").as_array().size() == 1);
      CHECK(!text_of(exchange.at("attempts").at(0).at("error")).empty());
    }
}

}  // namespace
}  // namespace segue::test
