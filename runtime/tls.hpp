#pragma once

#include <memory>
#include <string>

// OpenSSL's types, by name only: this header is included widely.
using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;

namespace segue::runtime {

struct SslDeleter {
  void operator()(SSL* ssl) const noexcept;
  void operator()(SSL_CTX* context) const noexcept;
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

// Certificates and rules of one side of TLS (1.2 and 1.3), made at start-up. Immutable; any
// thread may make sessions from it. Throws StartupError that names the file that is at fault.
class TlsContext {
 public:
  // PEM files; the certificate file may hold the chain.
  static TlsContext server(const std::string& certificate_file, const std::string& key_file);
  // `ca_file` empty: the system's store. `certificate_file` empty: none is shown.
  // `server_name` is sent as SNI and verified against the peer's certificate.
  static TlsContext client(const std::string& ca_file, const std::string& certificate_file,
                           const std::string& key_file, const std::string& server_name);

  // A new session on a connected socket.
  SslPtr session(int socket) const;

 private:
  explicit TlsContext(bool accepts);
  void load_certificate(const std::string& certificate_file, const std::string& key_file);

  std::unique_ptr<SSL_CTX, SslDeleter> context_;
  bool accepts_;
  std::string server_name_;
};

}  // namespace segue::runtime
