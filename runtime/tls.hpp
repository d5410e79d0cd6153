#pragma once

#include <boost/system/error_category.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/tls_settings.hpp"

// OpenSSL's types, by name only: this header is included widely.
using SSL_CTX = struct ssl_ctx_st;
using SSL = struct ssl_st;
using SSL_METHOD = struct ssl_method_st;

namespace segue::runtime {

class PemFiles;
class TicketKeys;

struct SslDeleter {
  void operator()(SSL* ssl) const noexcept;
  void operator()(SSL_CTX* context) const noexcept;
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

// One certificate that a context shows.
struct CertificateInfo {
  std::string file;
  std::string name;            // the first of its DNS names; without one, the file
  std::int64_t not_after = 0;  // Unix seconds
};

// How long a session may be resumed, and so how long a ticket key must be kept after its last use.
inline constexpr std::int64_t kTlsSessionSeconds = 12 * 3600;

// Certificates and rules of one side of TLS (1.2 and 1.3), made from files that were read.
// Immutable; of one core, by convention: OpenSSL counts references to it with each session.
// Sessions that were made from it live on when it goes. Throws StartupError that names the file
// that is at fault.
class TlsContext {
 public:
  // Chooses the certificate by the name that the client asks for (RFC 6066, 3): one that has the
  // name, else one that has `*.` in place of its first label, else the first one. Of several that
  // have the name, one of a kind of key that the client can verify; of one kind the first. A
  // session is resumed from a ticket alone; nothing is kept of it here. Speaks http/1.1 (RFC 7301),
  // and ends the handshake of who only speaks other things.
  static TlsContext server(const TlsServerSettings& settings, const PemFiles& files,
                           const TicketKeys& tickets);
  static TlsContext client(const TlsClientSettings& settings, const PemFiles& files);

  // A new session on a connected socket.
  SslPtr session(int socket) const;

  // What is shown to the peer; the first one by default.
  const std::vector<CertificateInfo>& certificates() const noexcept { return certificates_; }

 private:
  explicit TlsContext(const SSL_METHOD* method);

  std::unique_ptr<SSL_CTX, SslDeleter> context_;
  enum class Side : std::uint8_t { accepts, connects } side_ = Side::accepts;
  std::string server_name_;
  std::vector<CertificateInfo> certificates_;
};

// The files that the settings name.
std::vector<std::string> files_of(const TlsServerSettings& settings);
std::vector<std::string> files_of(const TlsClientSettings& settings);

// Why a peer's certificate was not accepted: X509_V_ERR_*, with OpenSSL's words.
const boost::system::error_category& certificate_category() noexcept;
// What else ended a handshake: the reason of the TLS library, which may be the peer's alert.
const boost::system::error_category& tls_category() noexcept;
// Of tls_category(): what came was HTTP without TLS.
bool is_plain_http(const boost::system::error_code& code) noexcept;

// Of the last SSL call of this thread, which failed with SSL_ERROR_SSL. Empties OpenSSL's queue.
boost::system::error_code handshake_failure(const SSL& ssl) noexcept;

}  // namespace segue::runtime
