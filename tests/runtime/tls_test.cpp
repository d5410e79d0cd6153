#include "runtime/tls.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "exchange/error.hpp"
#include "runtime/pem_files.hpp"
#include "runtime/tls_tickets.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/descriptor.hpp"

namespace segue::runtime {
namespace {

using test::Certificate;
using test::TempDir;

TlsServerSettings settings_of(const Certificate& certificate) {
  TlsServerSettings settings;
  settings.certificates.push_back({certificate.certificate_file(), certificate.key_file()});
  return settings;
}

TlsContext make(const TlsServerSettings& settings, const TicketKeys& keys = TicketKeys::fresh()) {
  return TlsContext::server(settings, PemFiles(files_of(settings)), keys);
}

// What refuses the settings; empty: nothing does.
std::string refusal_of(const TlsServerSettings& settings) {
  try {
    make(settings);
    return {};
  } catch (const StartupError& error) {
    return error.what();
  }
}

std::string with(const Certificate& certificate, const std::string& certificate_file,
                 const std::string& key_file) {
  TlsServerSettings settings;
  settings.certificates.push_back(
      {certificate_file.empty() ? certificate.certificate_file() : certificate_file,
       key_file.empty() ? certificate.key_file() : key_file});
  return refusal_of(settings);
}

std::string encrypted(const Certificate& certificate, const TempDir& folder) {
  const std::string file = (folder / "encrypted.pem").string();
  std::FILE* const in = std::fopen(certificate.key_file().c_str(), "r");
  EVP_PKEY* const key = PEM_read_PrivateKey(in, nullptr, nullptr, nullptr);
  std::FILE* const out = std::fopen(file.c_str(), "w");
  const unsigned char password[] = "secret";
  CHECK(PEM_write_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(),
                                  reinterpret_cast<const char*>(password), 6, nullptr,
                                  nullptr) == 1);
  std::fclose(out);
  std::fclose(in);
  EVP_PKEY_free(key);
  return file;
}

TEST_CASE("a file that cannot be used is named, with the reason and what to do") {
  const Certificate good("a.test");
  const Certificate other("b.test");
  const TempDir folder;
  const std::string text = folder.write("text", "no PEM").string();
  const std::string damaged =
      folder
          .write("damaged", test::read_whole_file(good.certificate_file()) +
                                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
          .string();
  const auto quoted = [](const std::string& file) { return "'" + file + "'"; };

  CHECK(with(good, "", "").empty());
  CHECK(with(good, "/nowhere/cert.pem", "") ==
        "cannot use certificate '/nowhere/cert.pem': No such file or directory; check that the "
        "file exists and that Segue's user may read it");
  CHECK(with(good, "", folder.path().string()) ==
        "cannot use key " + quoted(folder.path().string()) +
            ": Is a directory; check that the file exists and that Segue's user may read it");
  CHECK(with(good, text, "") ==
        "cannot use certificate " + quoted(text) +
            ": there is no certificate in it; it must be PEM: the certificate, then its chain");
  CHECK(with(good, "", text) == "cannot use key " + quoted(text) +
                                    ": there is no key in it; it must be PEM: the key of the "
                                    "certificate");
  CHECK(with(good, damaged, "").find("certificate 2 in it is damaged: ") != std::string::npos);
  CHECK(with(good, "", other.key_file()) ==
        "cannot use key " + quoted(other.key_file()) + ": it does not belong to the certificate " +
            quoted(good.certificate_file()) + "; give the key that the certificate was made with");
  const std::string locked = encrypted(good, folder);
  CHECK(with(good, "", locked) ==
        "cannot use key " + quoted(locked) +
            ": it is encrypted, and nobody is there to type its password; write it without one "
            "('openssl pkey -in KEY -out NEW') and let only Segue read it");

  TlsServerSettings asks = settings_of(good);
  asks.client_certificates = ClientCertificates::required;
  asks.client_ca_file = text;
  CHECK(refusal_of(asks) == "cannot use CA file " + quoted(text) +
                                ": there is no certificate in it; it must be PEM: the certificates "
                                "of the authorities");
}

TEST_CASE("files are the same as long as their contents are, also where they are missing") {
  const TempDir folder;
  const std::string a = folder.write("a", "1").string();
  const std::string b = (folder / "b").string();
  const std::string first = PemFiles({a, b}).fingerprint();
  CHECK(PemFiles({b, a}).fingerprint() == first);
  folder.write("a", "1");
  CHECK(PemFiles({a, b}).fingerprint() == first);
  folder.write("b", "");
  CHECK(PemFiles({a, b}).fingerprint() != first);
  folder.write("a", "2");
  std::filesystem::remove(b);
  CHECK(PemFiles({a, b}).fingerprint() != first);
}

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};

// A client that keeps the last session that it was given.
class Client {
 public:
  explicit Client(int version) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<Client*>(SSL_get_ex_data(ssl, 0))->session_.reset(session);
      return 1;
    });
  }

  // A handshake with a server, both ends in this thread. Whether the kept session was resumed.
  bool resumes(const TlsContext& server) {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    const test::Descriptor left(ends[0]);
    const test::Descriptor right(ends[1]);
    const SslPtr client(SSL_new(context_.get()));
    SSL_set_ex_data(client.get(), 0, this);
    SSL_set_fd(client.get(), left.get());
    SSL_set_connect_state(client.get());
    if (session_) SSL_set_session(client.get(), session_.get());
    const SslPtr accepted = server.session(right.get());
    int done = 0;
    for (int i = 0; i < 20 && done != 2; ++i)
      done = (SSL_do_handshake(client.get()) == 1 ? 1 : 0) +
             (SSL_do_handshake(accepted.get()) == 1 ? 1 : 0);
    REQUIRE(done == 2);
    char byte;
    SSL_read(client.get(), &byte, 1);  // nothing comes but, with TLS 1.3, the tickets
    const bool resumed = SSL_session_reused(client.get()) == 1;
    // TLS 1.2 announces no ticket that renews another.
    if (SSL_version(client.get()) == TLS1_2_VERSION) session_.reset(SSL_get1_session(client.get()));
    SSL_shutdown(client.get());  // OpenSSL takes a session for bad that was not ended
    return resumed;
  }

 private:
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL_SESSION, Free> session_;
};

TEST_CASE("a ticket is good under its key and under the next one, not under the one after") {
  const Certificate certificate("a.test");
  const TlsServerSettings settings = settings_of(certificate);
  const TicketKeys first = TicketKeys::fresh();
  const TicketKeys second = first.rotated();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(version);
    CHECK_FALSE(client.resumes(make(settings, first)));
    CHECK(client.resumes(make(settings, first)));
    CHECK(client.resumes(make(settings, second)));
    CHECK(client.resumes(make(settings, second.rotated())));  // it was given a newer ticket there
    Client away(version);
    CHECK_FALSE(away.resumes(make(settings, first)));
    CHECK_FALSE(away.resumes(make(settings, second.rotated())));
    CHECK_FALSE(away.resumes(make(settings, TicketKeys::fresh())));
  }
}

TEST_CASE("a session does not outlive the rules for client certificates that it was begun under") {
  const Certificate certificate("a.test");
  const Certificate authority("ca.test");
  const Certificate another("ca.test");
  const TicketKeys keys = TicketKeys::fresh();
  TlsServerSettings asks = settings_of(certificate);
  asks.client_certificates = ClientCertificates::optional;
  asks.client_ca_file = authority.certificate_file();
  TlsServerSettings moved = asks;
  moved.client_ca_file = another.certificate_file();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Client client(version);
    CHECK_FALSE(client.resumes(make(asks, keys)));
    CHECK(client.resumes(make(asks, keys)));
    CHECK_FALSE(client.resumes(make(moved, keys)));
    CHECK_FALSE(client.resumes(make(settings_of(certificate), keys)));
  }
}

TEST_CASE("a certificate without a name is good as the first one only") {
  const Certificate named("a.test");
  const TempDir folder;
  const std::string key = (folder / "key.pem").string();
  const std::string file = (folder / "cert.pem").string();
  const std::string command =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=nameless "
      "-keyout " +
      key + " -out " + file + " 2>/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  TlsServerSettings settings = settings_of(named);
  settings.certificates.push_back({file, key});
  CHECK(refusal_of(settings) ==
        "cannot use certificate '" + file +
            "': it names no host (subjectAltName has no DNS name), so it would never be chosen; "
            "put it first or leave it out");
  std::swap(settings.certificates[0], settings.certificates[1]);
  CHECK(refusal_of(settings).empty());
  CHECK(make(settings).certificates().at(0).name == file);
}

}  // namespace
}  // namespace segue::runtime
