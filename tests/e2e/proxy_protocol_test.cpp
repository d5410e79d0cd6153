// Connections that begin with a PROXY protocol header: who the client is then, who may say so, and
// where the header ends.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <string_view>

#include "tests/e2e/http_cases.hpp"
#include "tests/e2e/tls_client.hpp"
#include "tests/e2e/tls_gateway.hpp"
#include "tests/gateway/proxy_header_cases.hpp"
#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

using gateway::binary_proxy_header;
using gateway::proxy_header_cases;
using gateway::ProxyHeaderCase;

constexpr std::string_view kRequest = "GET /open HTTP/1.1\r\nHost: a\r\n";
constexpr std::string_view kLocalhost = "trusted_proxies: [127.0.0.1]";
const std::string kSays = "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";

ConfigText behind_balancer(std::uint16_t backend, std::string_view trusted = kLocalhost,
                           std::string_view version = "any") {
  auto config = only_open(backend);
  config.listener(fmt::format("proxy_protocol: {}", version)).listener(trusted);
  return config;
}

// The address in "192.0.2.1:56324 to ...", as X-Forwarded-For has it.
std::string client_of(std::string_view said) {
  if (!said.starts_with('[')) return std::string(said.substr(0, said.find(':')));
  const auto ip = said.substr(1, said.find(']') - 1);
  return std::string(ip.starts_with("::ffff:") ? ip.substr(7) : ip);
}

double refusals(const GatewayProcess& gateway, std::string_view reason) {
  return gateway.metric("segue_proxy_header_refusals_total",
                        {fmt::format("reason=\"{}\"", reason)});
}

TEST_CASE("a request behind each valid header is served, with the address that it announces") {
  Believer backend;
  GatewayProcess gateway(behind_balancer(backend.port()));
  std::size_t served = 0;
  for (const ProxyHeaderCase& one : proxy_header_cases()) {
    if (one.said.empty()) continue;
    INFO(one.name);
    RawClient client(gateway.port());
    client.send(one.raw + std::string(kRequest) + "\r\n");
    CHECK(client.response().status() == 200);
    const auto requests = backend.requests();
    REQUIRE(requests.size() == ++served);
    const bool announced = one.said.find(" to ") != std::string_view::npos;
    CHECK(requests.back().field("x-forwarded-for") ==
          (announced ? client_of(one.said) : "127.0.0.1"));
    CHECK(client.get("/open").status() == 200);  // one header a connection
    ++served;
  }
  CHECK(backend.stray().empty());
  CHECK(gateway.metric("segue_proxy_header_refusals_total") == 0);
}

TEST_CASE("what is no valid header is closed without an answer, counted by its reason") {
  Believer backend;
  GatewayProcess gateway(behind_balancer(backend.port()));
  for (const ProxyHeaderCase& one : proxy_header_cases()) {
    if (!one.said.empty()) continue;
    INFO(one.name);
    const double before = refusals(gateway, one.reason);
    RawClient client(gateway.port());
    client.socket().send_what_is_taken(one.raw + std::string(kRequest) + "\r\n");
    client.reader().wait_for_end();
    CHECK(client.reader().rest().empty());
    CHECK(refusals(gateway, one.reason) == before + 1);
  }
  CHECK(backend.requests().empty());
}

TEST_CASE("a header that comes byte by byte is read like one that comes at once") {
  Believer backend;
  GatewayProcess gateway(behind_balancer(backend.port()));
  const std::string inet("\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB", 12);
  for (const std::string& header : {kSays, binary_proxy_header(0x21, 0x11, inet)}) {
    RawClient client(gateway.port());
    for (const char c : header + std::string(kRequest) + "\r\n") client.send({&c, 1});
    CHECK(client.response().status() == 200);
    CHECK(backend.requests().back().field("x-forwarded-for") == "192.0.2.1");
  }
}

TEST_CASE("a peer that is not in trusted_proxies is closed, whatever it sends") {
  Believer backend;
  GatewayProcess gateway(behind_balancer(backend.port(), "trusted_proxies: [10.0.0.0/8]"));
  for (const std::string& bytes : {kSays, std::string(kRequest) + "\r\n"}) {
    RawClient client(gateway.port());
    client.socket().send_what_is_taken(bytes);
    client.reader().wait_for_end();
    CHECK(client.reader().rest().empty());
  }
  CHECK(refusals(gateway, "untrusted_peer") == 2);
  CHECK(backend.requests().empty());
}

TEST_CASE("a load balancer vouches for the address of its client, not for what the client says") {
  Believer backend;
  GatewayProcess gateway(behind_balancer(
      backend.port(), "trusted_proxies: [127.0.0.1, 10.0.0.0/8]"));
  const std::string lies = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n\r\n";
  const auto seen = [&](const std::string& header) {
    RawClient client(gateway.port());
    client.send(header + std::string(kRequest) + lies);
    CHECK(client.response().status() == 200);
    return *backend.requests().back().field("x-forwarded-for") + " " +
           *backend.requests().back().field("x-forwarded-proto");
  };
  CHECK(seen(kSays) == "192.0.2.1 http");
  CHECK(seen("PROXY TCP4 10.1.2.3 198.51.100.1 1 443\r\n") == "6.6.6.6, 10.1.2.3 https");
  CHECK(seen("PROXY UNKNOWN\r\n") == "127.0.0.1 http");
  CHECK(seen(binary_proxy_header(0x20, 0, "")) == "6.6.6.6, 127.0.0.1 https");
}

TEST_CASE("a listener of one version of the PROXY protocol takes no other") {
  Believer backend;
  const std::string binary = binary_proxy_header(0x20, 0, "");
  for (const auto& [version, taken, other] :
       {std::tuple("v1", kSays, binary), std::tuple("v2", binary, kSays)}) {
    INFO(version);
    GatewayProcess gateway(behind_balancer(backend.port(), kLocalhost, version));
    RawClient client(gateway.port());
    client.send(taken + std::string(kRequest) + "\r\n");
    CHECK(client.response().status() == 200);
    RawClient refused(gateway.port());
    refused.socket().send_what_is_taken(other + std::string(kRequest) + "\r\n");
    refused.reader().wait_for_end();
    CHECK(refused.reader().rest().empty());
    CHECK(refusals(gateway, "other_version") == 1);
  }
}

TEST_CASE("a header that does not come, or not whole, ends the connection and nothing else") {
  Believer backend;
  GatewayProcess gateway(
      behind_balancer(backend.port()).with("limits", "{ head_time: 200ms }"));
  RawClient silent(gateway.port());
  RawClient slow(gateway.port());
  slow.send("PROXY TCP4");
  RawClient cut(gateway.port());
  cut.send("PROXY TCP4");
  cut.socket().finish_sending();
  RawClient looking(gateway.port());
  looking.socket().finish_sending();
  for (RawClient* client : {&silent, &slow, &cut, &looking}) {
    client->reader().wait_for_end();
    CHECK(client->reader().rest().empty());
  }
  CHECK(refusals(gateway, "timeout") == 2);
  CHECK(refusals(gateway, "unfinished") == 1);
  CHECK(gateway.metric("segue_proxy_header_refusals_total") == 3);
  CHECK(backend.connections() == 0);
}

TEST_CASE("TLS begins where the header ends, also within one segment") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate first("first.test");
  const Certificate second("second.test");
  auto config = tls_to(backend.port(), fmt::format("{}, {}", certificate_entry(first),
                                                   certificate_entry(second)));
  config.listener("proxy_protocol: any").listener(kLocalhost);
  GatewayProcess gateway(config);
  const std::string inet("\xC0\x00\x02\x01\xC6\x33\x64\x01\xDC\x04\x01\xBB", 12);
  for (const std::string& header : {kSays, binary_proxy_header(0x21, 0x11, inet)}) {
    TlsOffer offer;
    offer.server_name = "second.test";
    offer.before = header;
    TlsClient client(gateway.port(), offer);
    CHECK(client.failure().empty());
    CHECK(client.shown_name() == "second.test");
    CHECK(client.get().find(" 200 ") != std::string::npos);
    CHECK(backend.requests().back().field("x-forwarded-for") == "192.0.2.1");
    CHECK(backend.requests().back().field("x-forwarded-proto") == "https");
  }
  TlsOffer bare;
  CHECK_FALSE(TlsClient(gateway.port(), bare).failure().empty());
  CHECK(refusals(gateway, "no_header") == 1);
}

TEST_CASE("the announced address is the client's in the record's account and in the access log") {
  Believer backend;
  const TempDir folder;
  const auto log = folder / "access.log";
  auto config = behind_balancer(backend.port());
  config.with("access_log", fmt::format("{{ format: json, path: \"{}\" }}", log.string()));
  config.with("defaults", "{ record: { redact: {}, key: peer } }");
  GatewayProcess gateway(config);
  RawClient client(gateway.port());
  client.send(kSays + std::string(kRequest) + "\r\n");
  CHECK(client.response().status() == 200);
  client.socket().close();
  gateway.stop();
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  CHECK(exchanges[0].at("account_id") == "192.0.2.1");
  CHECK(read_whole_file(log).find("\"client\":\"192.0.2.1:56324\"") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
