#include <boost/json/serialize.hpp>
#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

// TLS towards backends: the backend is a second gateway, which speaks TLS in front of a script.
namespace segue::test {
namespace {

using Order = CertificateOrder;

// The answer to one request through a gateway whose backend has these keys under `tls`, and its
// record.
struct Try {
  Try(std::uint16_t backend, std::string_view tls)
      : Try(all_to(backend, fmt::format("tls: {{ {} }}", tls))) {}
  explicit Try(const ConfigText& config) {
    GatewayProcess gateway(config);
    RawClient client(gateway.port());
    const auto answer = client.get("/");
    status = answer.status();
    error = answer.field("segue-error").value_or("");
    const auto exchanges = recorded(gateway.journal());
    REQUIRE(exchanges.size() == 1);
    outcome = text_of(exchanges[0].at("outcome"));
    record = boost::json::serialize(exchanges[0]);
  }
  bool says(std::string_view text) const { return record.find(text) != std::string::npos; }

  int status = 0;
  std::string error, outcome, record;
};

std::string trusting(const Certificate& authority, std::string_view name = "inner.test") {
  return fmt::format("ca: {}, server_name: {}", authority.certificate_file(), name);
}

void check_refused(const Try& tried, std::string_view why) {
  CHECK(tried.status == 502);
  CHECK(tried.error == "upstream_connect_failed");
  CHECK(tried.outcome == "UPSTREAM_CONNECT_FAILED");
  INFO(tried.record);
  CHECK(tried.says("TLS with the backend: "));
  CHECK(tried.says(why));
}

TEST_CASE("a backend with a wrong, another's or an expired certificate is a 502 that says which") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("inner.test");
  const Certificate stranger("inner.test");
  const Certificate expired(Order{{"inner.test"}, Order::Key::ec, -1});
  GatewayProcess inner(tls_to(backend.port(), certificate_entry(certificate)));
  GatewayProcess old(tls_to(backend.port(), certificate_entry(expired)));
  CHECK(Try(inner.port(), trusting(certificate)).status == 200);
  check_refused(Try(inner.port(), trusting(stranger)), "its certificate is not accepted");
  check_refused(Try(inner.port(), trusting(certificate, "other.test")), "hostname mismatch");
  check_refused(Try(old.port(), trusting(expired)), "certificate has expired");
  check_refused(Try(inner.port(), "server_name: inner.test"), "its certificate is not accepted");
  CHECK(backend.requests().size() == 1);
}

TEST_CASE("a backend that asks for a certificate gets the one that is configured") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("inner.test");
  const Certificate ours("segue.test");
  GatewayProcess inner(tls_to(
      backend.port(), certificate_entry(certificate),
      fmt::format(", client_certificates: required, client_ca: {}", ours.certificate_file())));
  const std::string trust = trusting(certificate);
  CHECK(Try(inner.port(), fmt::format("{}, cert: {}, key: {{ file: {} }}", trust,
                                      ours.certificate_file(), ours.key_file()))
            .status == 200);
  // With TLS 1.3 the backend refuses behind our handshake: the request was sent, and nothing came.
  const Try without(inner.port(), trust);
  CHECK(without.status == 502);
  CHECK(without.error == "upstream_reset");
  CHECK(without.outcome == "UPSTREAM_RESET");
  CHECK(without.says("closed without an answer"));
  CHECK(backend.requests().size() == 1);
}

TEST_CASE("CVE-2026-1642: what a backend says before the handshake is no answer") {
  ScriptedBackend backend([](BackendConnection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected");
    connection.close();
  });
  const Certificate certificate("inner.test");
  const Try tried(backend.port(), trusting(certificate));
  check_refused(tried, "wrong version number");
  CHECK_FALSE(tried.says("injected"));
}

TEST_CASE("a backend that closes in the middle of the handshake is a 502") {
  const Certificate certificate("inner.test");
  ScriptedBackend silent([](BackendConnection& connection) { connection.close(); });
  const Try tried(silent.port(), trusting(certificate));
  CHECK(tried.status == 502);
  CHECK(tried.outcome == "UPSTREAM_CONNECT_FAILED");
}

}  // namespace
}  // namespace segue::test
