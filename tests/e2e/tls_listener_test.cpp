#include <catch2/catch_test_macros.hpp>

#include "tests/e2e/tls_client.hpp"
#include "tests/e2e/tls_gateway.hpp"
#include "tests/support/process.hpp"
#include "tests/support/raw_client.hpp"
#include "tests/support/recorded.hpp"
#include "tests/support/scripted_backend.hpp"

// What a listener with TLS shows, asks for and refuses.
namespace segue::test {
namespace {

using Order = CertificateOrder;

std::string shown_to(std::uint16_t port, std::string name) {
  TlsOffer offer;
  offer.server_name = std::move(name);
  return TlsClient(port, offer).shown_name();
}

TEST_CASE("the certificate is chosen by the name that is asked for") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate first("first.test");
  const Certificate second(Order{{"second.test", "also.test"}});
  const Certificate wild(Order{{"*.wild.test"}});
  const Certificate exact(Order{{"exact.wild.test"}});
  GatewayProcess gateway(
      tls_to(backend.port(),
             fmt::format("{}, {}, {}, {}", certificate_entry(first), certificate_entry(second),
                         certificate_entry(wild), certificate_entry(exact))));
  const std::uint16_t port = gateway.port();
  CHECK(shown_to(port, "first.test") == "first.test");
  CHECK(shown_to(port, "second.test") == "second.test");
  CHECK(shown_to(port, "also.test") == "second.test");
  CHECK(shown_to(port, "ALSO.Test") == "second.test");
  CHECK(shown_to(port, "a.wild.test") == "*.wild.test");
  CHECK(shown_to(port, "exact.wild.test") == "exact.wild.test");
  CHECK(shown_to(port, "a.b.wild.test") == "first.test");  // a wildcard stands for one label
  CHECK(shown_to(port, "wild.test") == "first.test");
  CHECK(shown_to(port, "unknown.test") == "first.test");
  CHECK(shown_to(port, "") == "first.test");
}

TEST_CASE("of two certificates for a name the client is shown the kind that it can verify") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate ec("shop.test");
  const Certificate rsa(Order{{"shop.test"}, Order::Key::rsa});
  GatewayProcess gateway(
      tls_to(backend.port(), fmt::format("{}, {}", certificate_entry(ec), certificate_entry(rsa))));
  for (const auto& [ciphers, key] : {std::pair("ECDHE-RSA-AES128-GCM-SHA256", "RSA"),
                                     std::pair("ECDHE-ECDSA-AES128-GCM-SHA256", "EC")}) {
    TlsOffer offer;
    offer.server_name = "shop.test";
    offer.version = TLS1_2_VERSION;
    offer.ciphers = ciphers;
    CHECK(TlsClient(gateway.port(), offer).shown_key() == key);
  }
}

TEST_CASE("ciphers without forward secrecy, old versions and other protocols are not spoken") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate rsa(Order{{"shop.test"}, Order::Key::rsa});
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(rsa)));
  TlsOffer old;
  old.version = TLS1_2_VERSION;
  CHECK(TlsClient(gateway.port(), old).version() == "TLSv1.2");
  for (const char* ciphers : {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA"}) {
    TlsOffer offer = old;
    offer.ciphers = ciphers;
    CHECK(TlsClient(gateway.port(), offer).failure() == "sslv3 alert handshake failure");
  }
  TlsOffer http1;
  http1.protocol = "http/1.1";
  CHECK(TlsClient(gateway.port(), http1).protocol() == "http/1.1");
  TlsOffer h2;
  h2.protocol = "h2";
  CHECK(TlsClient(gateway.port(), h2).failure() == "tlsv1 alert no application protocol");

  GatewayProcess modern(tls_to(backend.port(), certificate_entry(rsa), ", min_version: \"1.3\""));
  CHECK(TlsClient(modern.port(), {}).version() == "TLSv1.3");
  CHECK(TlsClient(modern.port(), old).failure() == "tlsv1 alert protocol version");
}

TEST_CASE("the record says which version, name and protocol the client spoke") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate)));
  TlsOffer offer;
  offer.server_name = "shop.test";
  offer.protocol = "http/1.1";
  CHECK(TlsClient(gateway.port(), offer).get().ends_with("x"));
  const auto exchanges = recorded(gateway.journal());
  REQUIRE(exchanges.size() == 1);
  const auto& client = exchanges[0].at("client").as_object();
  CHECK(text_of(client.at("tls_version")) == "TLSv1.3");
  CHECK(text_of(client.at("server_name")) == "shop.test");
  CHECK(text_of(client.at("alpn")) == "http/1.1");
}

TEST_CASE("a session goes on whichever core accepts its next connection") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate)));  // two cores
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsOffer offer;
    offer.server_name = "shop.test";
    offer.version = version;
    TlsClient first(gateway.port(), offer);
    CHECK_FALSE(first.resumed());
    CHECK(first.get().ends_with("x"));
    REQUIRE(first.session() != nullptr);
    offer.session = first.session();
    for (int i = 0; i < 40; ++i) {
      TlsClient next(gateway.port(), offer);
      CHECK(next.resumed());
      CHECK(next.get().ends_with("x"));
      if (next.session()) offer.session = next.session();  // TLS 1.3: a ticket is used once
    }
  }
}

TEST_CASE("client certificates: required, optional, and of the wrong authority") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  const Certificate known("client.test");
  const Certificate stranger("stranger.test");
  const auto asking = [&](std::string_view rule) {
    return tls_to(
        backend.port(), certificate_entry(certificate),
        fmt::format(", client_certificates: {}, client_ca: {}", rule, known.certificate_file()));
  };
  const auto offer_of = [](const Certificate& shown, int version) {
    TlsOffer offer;
    offer.version = version;
    offer.certificate_file = shown.certificate_file();
    offer.key_file = shown.key_file();
    return offer;
  };
  GatewayProcess required(asking("required"));
  GatewayProcess optional(asking("optional"));
  double failures = 0;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (GatewayProcess* gateway : {&required, &optional}) {
      CHECK(TlsClient(gateway->port(), offer_of(known, version)).get().ends_with("x"));
      TlsClient refused(gateway->port(), offer_of(stranger, version));
      CHECK(refused.get().empty());
      CHECK(refused.failure() == "tlsv1 alert unknown ca");
    }
    TlsOffer nothing;
    nothing.version = version;
    CHECK(TlsClient(optional.port(), nothing).get().ends_with("x"));
    TlsClient refused(required.port(), nothing);
    CHECK(refused.get().empty());
    CHECK((refused.failure() == "tlsv13 alert certificate required" ||
           refused.failure() == "sslv3 alert handshake failure"));
    failures += 2;
    required.wait_for_metric("segue_tls_handshake_failures_total", {}, failures);
  }
  CHECK(backend.requests().size() == 6);
}

TEST_CASE("a session that a listener without client certificates gave out opens no other one") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  const Certificate known("client.test");
  auto config = all_to(backend.port());
  config.with(
      "listeners",
      fmt::format("{{ public: {{ address: \"127.0.0.1:0\", tls: {{ certificates: [{0}] }} }}, "
                  "partners: {{ address: \"127.0.0.1:0\", tls: {{ certificates: [{0}], "
                  "client_certificates: required, client_ca: {1} }} }}, "
                  "probe: {{ address: \"127.0.0.1:0\" }} }}",
                  certificate_entry(certificate), known.certificate_file()));
  GatewayProcess gateway(config);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsOffer offer;
    offer.version = version;
    TlsClient open(gateway.port(), offer);
    CHECK(open.get().ends_with("x"));
    offer.session = open.session();
    REQUIRE(offer.session != nullptr);
    CHECK(TlsClient(gateway.port("partners"), offer).get().empty());
  }
}

TEST_CASE("a client that ends its side behind its request gets its answer whole, and its end") {
  const Certificate certificate("a.test");
  const std::string body(16 << 20, 'x');  // more than sockets hold
  Event answering;
  ScriptedBackend backend([&](BackendConnection& connection) {
    if (!connection.request()) return;
    answering.set();
    connection.send("HTTP/1.1 200 OK\r\n\r\n" + body);  // until its connection ends
  });
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate)));
  TlsClient client(gateway.port(), {});
  const std::string answer = client.get_half_closed([&] { answering.wait(); });
  CHECK(client.failure() == "");
  CHECK(answer.ends_with(body));
}

TEST_CASE("plain HTTP on a port with TLS is answered with a 400 that says so") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate)));
  RawClient plain(gateway.port());
  const auto answer = plain.get("/");
  CHECK(answer.status() == 400);
  CHECK(answer.field("segue-error") == "plain_http_on_tls");
  CHECK(answer.whole);
  CHECK(gateway.metric("segue_requests_refused_total", {"reason=\"plain_http_on_tls\""}) == 1);
  CHECK(gateway.metric("segue_tls_handshake_failures_total") == 1);
  CHECK(backend.requests().empty());
}

TEST_CASE("CVE-2026-1642: bytes of a client before its handshake reach nobody") {
  ScriptedBackend backend(answer_always(response_with(200, "x")));
  const Certificate certificate("shop.test");
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate)));
  for (const char* before : {"GET /injected HTTP/1.1\r\nHost: a\r\n\r\n", "STARTTLS\r\n", "\r\n"}) {
    RawClient client(gateway.port());
    client.send(before);
    client.send(std::string("\x16\x03\x01\x00\x05hello", 10));
    client.socket().finish_sending();
    client.reader().wait_for_end();
  }
  CHECK(backend.requests().empty());
  CHECK(gateway.metric("segue_tls_handshake_failures_total") == 3);
}

TEST_CASE("curl and openssl s_client agree with the certificate, the version and ALPN") {
  ScriptedBackend backend(answer_always(response_with(200, "curled")));
  const Certificate certificate("shop.test");
  GatewayProcess gateway(tls_to(backend.port(), certificate_entry(certificate)));
  const std::string port = std::to_string(gateway.port());
  const auto curl =
      run_command({"curl", "-sS", "--cacert", certificate.certificate_file(), "--resolve",
                   "shop.test:" + port + ":127.0.0.1", "https://shop.test:" + port + "/"});
  CHECK(curl.err == "");
  CHECK(curl.out == "curled");
  const auto openssl =
      run_command({"openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername",
                   "shop.test", "-CAfile", certificate.certificate_file(), "-verify_return_error",
                   "-verify_hostname", "shop.test", "-alpn", "h2,http/1.1", "-brief"});
  CHECK(openssl.exit_code == 0);
  CHECK(openssl.err.find("Verification: OK") != std::string::npos);
}

}  // namespace
}  // namespace segue::test
