// limits.per_client: how many connections one client may have.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/http_cases.hpp"
#include "tests/e2e/tls_client.hpp"
#include "tests/e2e/tls_gateway.hpp"
#include "tests/gateway/proxy_header_cases.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kRequest = "GET /open HTTP/1.1\r\nHost: a\r\n\r\n";

double refused(const GatewayProcess& gateway) {
  return gateway.metric("segue_limit_refusals_total", {"limit=\"per_client\""});
}

// A connection that has been served, and stays.
std::unique_ptr<RawClient> served(const GatewayProcess& gateway, std::string_view header = {}) {
  auto client = std::make_unique<RawClient>(gateway.port());
  client->send(std::string(header) + std::string(kRequest));
  CHECK(client->response().status() == 200);
  return client;
}

// The whole answer to who has too many.
void check_answered(const GatewayProcess& gateway, std::string_view header) {
  RawClient client(gateway.port());
  client.socket().send_what_is_taken(std::string(header) + std::string(kRequest));
  const auto answer = client.response();
  CHECK(answer.status() == 429);
  CHECK(answer.whole);
  CHECK(answer.field("segue-error") == "too_many_connections");
  CHECK(answer.field("connection") == "close");
  CHECK(answer.body.ends_with("}\n"));
  client.reader().wait_for_end();
  CHECK(client.reader().rest().empty());
}

// The same, until the gateway has noticed that this client left: only as many are told at one time
// as may be served.
void check_told(const GatewayProcess& gateway, std::string_view header = {}) {
  const double open = gateway.metric("segue_connections");
  check_answered(gateway, header);
  const Deadline deadline;
  while (gateway.metric("segue_connections") > open)
    if (deadline.left() == 0) throw TestFailure("the connection that was refused stays open");
}

// A client that has left is noticed by the gateway in its own time.
void wait_until_served(const GatewayProcess& gateway) {
  const Deadline deadline;
  for (;;) {
    RawClient client(gateway.port());
    client.socket().send_what_is_taken(kRequest);
    const auto answer = client.reader().response();
    if (answer && answer->status() == 200) return;
    if (deadline.left() == 0) throw TestFailure("the place is not given back");
  }
}

TEST_CASE("a client with as many connections as it may have is told so, over all cores") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()).with("limits", "{ per_client: 3 }"));
  std::vector<std::unique_ptr<RawClient>> kept;
  for (int i = 0; i < 3; ++i) kept.push_back(served(gateway));
  check_told(gateway);
  check_told(gateway);
  CHECK(refused(gateway) == 2);
  CHECK(gateway.metric("segue_requests_refused_total", {"reason=\"too_many_connections\""}) == 2);
  for (const auto& client : kept) CHECK(client->get("/open").status() == 200);
  kept.pop_back();
  wait_until_served(gateway);
  CHECK(backend.stray().empty());
}

TEST_CASE("who goes on connecting is closed without a word, and takes nothing from others") {
  Believer backend;
  GatewayProcess gateway(only_open(backend.port()).with("limits", "{ per_client: 1 }"));
  const auto kept = served(gateway);
  RawClient told(gateway.port());
  told.send(kRequest);
  CHECK(told.response().status() == 429);
  RawClient closed(gateway.port());  // `told` has not gone yet
  closed.socket().send_what_is_taken(kRequest);
  closed.reader().wait_for_end();
  CHECK(closed.reader().rest().empty());
  CHECK(refused(gateway) == 2);
  CHECK(kept->get("/open").status() == 200);
}

TEST_CASE("on a listener with TLS a connection too many ends before the handshake") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate))
                             .with("limits", "{ per_client: 1 }"));
  TlsClient first(gateway.port(), {});
  CHECK(first.get().find(" 200 ") != std::string::npos);
  CHECK_FALSE(TlsClient(gateway.port(), {}).failure().empty());
  CHECK(refused(gateway) == 1);
  CHECK(gateway.metric("segue_tls_handshake_failures_total") == 0);
  CHECK(first.get().find(" 200 ") != std::string::npos);
}

TEST_CASE("the connections of a trusted proxy are those of many clients, and are not counted") {
  Believer backend;
  auto config = only_open(backend.port()).with("limits", "{ per_client: 1 }");
  config.listener("trusted_proxies: [127.0.0.1]");
  GatewayProcess gateway(config);
  const auto first = served(gateway);
  const auto second = served(gateway);
  CHECK(refused(gateway) == 0);
}

TEST_CASE("behind a PROXY protocol header the announced client is the one that is counted") {
  Believer backend;
  auto config = only_open(backend.port()).with("limits", "{ per_client: 1 }");
  config.listener("proxy_protocol: any").listener("trusted_proxies: [127.0.0.1]");
  GatewayProcess gateway(config);
  const auto line = [](std::string_view ip) {
    return fmt::format("PROXY {} {} {} 1 2\r\n", ip.find(':') == ip.npos ? "TCP4" : "TCP6", ip,
                       ip.find(':') == ip.npos ? "192.0.2.9" : "::1");
  };
  const auto first = served(gateway, line("192.0.2.1"));
  const auto other = served(gateway, line("192.0.2.2"));
  check_told(gateway, line("192.0.2.1"));
  check_told(gateway, line("::ffff:192.0.2.1"));
  const auto network = served(gateway, line("2001:db8:0:1::1"));
  check_told(gateway, line("2001:db8:0:1::2"));
  const auto next_network = served(gateway, line("2001:db8:0:2::1"));
  const std::string local = gateway::binary_proxy_header(0x20, 0, "");
  const auto check = served(gateway, local);
  const auto second_check = served(gateway, local);
  CHECK(refused(gateway) == 3);
}

}  // namespace
}  // namespace segue::test
