#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/support/certificate.hpp"
#include "tests/support/gateway_process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

// TLS towards clients and towards backends, by two gateways in a row: the outer one speaks TLS to
// the inner one.
namespace segue::test {
namespace {

ConfigText terminating_tls(std::uint16_t backend, const Certificate& certificate) {
  auto config = all_to(backend);
  config.listener(fmt::format("tls: {{ certificates: [{{ cert: {}, key: {{ file: {} }} }}] }}",
                              certificate.certificate_file(), certificate.key_file()));
  return config;
}

ConfigText originating_tls(std::uint16_t backend, const Certificate& authority,
                           std::string_view server_name) {
  return all_to(backend, fmt::format("tls: {{ ca: {}, server_name: {} }}",
                                     authority.certificate_file(), server_name));
}

TEST_CASE("TLS both ways: large bodies pass whole, and the record says how the client came") {
  const std::string large(3 << 20, 't');
  ScriptedBackend backend([&](BackendConnection& connection) {
    while (const auto request = connection.request()) {
      connection.send(response_with(200, request->body == large ? large : "differs"));
    }
  });
  const Certificate certificate("inner.test");
  GatewayProcess inner(terminating_tls(backend.port(), certificate));
  GatewayProcess outer(originating_tls(inner.port(), certificate, "inner.test"));
  RawClient client(outer.port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.exchange(fmt::format(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{}", large.size(), large));
    CHECK(answer.status() == 200);
    CHECK((answer.body == large));
  }
  CHECK(backend.requests().at(0).field("x-forwarded-proto") == "https");
  const auto exchanges = recorded(inner.journal());
  REQUIRE(exchanges.size() == 3);
  CHECK(exchanges[0].at("request").at("scheme") == "https");
}

// More than two looks of the gateway at whether its client is still there.
constexpr std::chrono::milliseconds kSlowPeer{2500};

TEST_CASE("a TLS backend that takes longer than the looks at the client is waited for") {
  ScriptedBackend backend([](BackendConnection& connection) {
    while (connection.request()) {
      std::this_thread::sleep_for(kSlowPeer);
      connection.send(response_with(200, "at last"));
    }
  });
  const Certificate certificate("inner.test");
  GatewayProcess inner(terminating_tls(backend.port(), certificate));
  GatewayProcess outer(originating_tls(inner.port(), certificate, "inner.test"));
  RawClient client(outer.port());
  CHECK(client.get("/").body == "at last");
}

TEST_CASE("a backend whose certificate is not trusted, or is another's, is a 502") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("inner.test");
  const Certificate stranger("inner.test");
  GatewayProcess inner(terminating_tls(backend.port(), certificate));
  GatewayProcess untrusting(originating_tls(inner.port(), stranger, "inner.test"));
  GatewayProcess misnamed(originating_tls(inner.port(), certificate, "other.test"));
  for (GatewayProcess* gateway : {&untrusting, &misnamed}) {
    RawClient client(gateway->port());
    CHECK(client.get("/").status() == 502);
  }
  CHECK(backend.requests().empty());
}

TEST_CASE("plain text on a TLS port is closed and counted, and TLS goes on") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("inner.test");
  GatewayProcess inner(terminating_tls(backend.port(), certificate));
  RawClient plain(inner.port());
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  plain.reader().wait_for_end();
  CHECK(backend.requests().empty());
  inner.wait_for_metric("segue_tls_handshake_failures_total", {}, 1);
  GatewayProcess outer(originating_tls(inner.port(), certificate, "inner.test"));
  RawClient client(outer.port());
  CHECK(client.get("/").status() == 200);
}

}  // namespace
}  // namespace segue::test
