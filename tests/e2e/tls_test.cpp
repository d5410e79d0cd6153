#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <thread>

#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

// TLS towards clients and towards backends, by two gateways in a row: the outer one speaks TLS to
// the inner one.
namespace segue::test {
namespace {

ConfigText terminating_tls(std::uint16_t backend, const Certificate& certificate) {
  return tls_to(backend, certificate_entry(certificate));
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

}  // namespace
}  // namespace segue::test
