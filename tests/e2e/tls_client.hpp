#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/descriptor.hpp"

namespace segue::test {

struct SslFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Session = std::shared_ptr<SSL_SESSION>;

// What a client asks for and shows.
struct TlsOffer {
  std::string server_name = {};
  int version = 0;  // TLS1_2_VERSION: that one alone; 0: any
  std::string protocol = {};
  std::string ciphers = {};  // of TLS 1.2
  std::string certificate_file = {};
  std::string key_file = {};
  Session session = nullptr;  // to be resumed
  std::string before = {};    // plain bytes ahead of the handshake, in one segment with its start
};

// A TLS client of OpenSSL's own, which believes any certificate and says which one it was shown.
// Waits at most as long as tests do. One thread.
class TlsClient {
 public:
  TlsClient(std::uint16_t port, const TlsOffer& offer);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Empty: the handshake was done; otherwise why not.
  const std::string& failure() const { return failure_; }
  std::string shown_name() const;  // common name of the server's certificate
  std::string shown_key() const;   // "EC" or "RSA"
  std::string protocol() const;    // ALPN
  std::string version() const;
  bool resumed() const;
  // The last session that the server gave out; with TLS 1.3 some time after the first answer.
  const Session& session() const { return session_; }

  // Sends "GET /" and reads head and body; empty when the connection ended before, and failure()
  // says how.
  std::string get();
  // Sends "GET / HTTP/1.0", says that this was all (close_notify), calls `then` and reads until the
  // end. failure() is empty when the server has said that this was all, too.
  std::string get_half_closed(const std::function<void()>& then);

 private:
  static int keep_session(SSL* ssl, SSL_SESSION* session);
  std::string last_failure() const;

  std::unique_ptr<SSL_CTX, SslFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
  Descriptor socket_;
  std::string failure_;
  Session session_;
};

}  // namespace segue::test
