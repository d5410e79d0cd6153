#include "tests/e2e/tls_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tests/support/patience.hpp"

namespace segue::test {
namespace {

Descriptor connect_to(std::uint16_t port) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a peer that has closed as to any other
  Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail_with_errno("connect");
  return fd;
}

void set_up(SSL_CTX* context, const TlsOffer& offer) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  if (offer.version != 0) {
    SSL_CTX_set_min_proto_version(context, offer.version);
    SSL_CTX_set_max_proto_version(context, offer.version);
  }
  if (!offer.ciphers.empty()) SSL_CTX_set_cipher_list(context, offer.ciphers.c_str());
  if (offer.certificate_file.empty()) return;
  if (SSL_CTX_use_certificate_chain_file(context, offer.certificate_file.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, offer.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    throw TestFailure("cannot use " + offer.certificate_file);
}

void set_up(SSL* ssl, const TlsOffer& offer) {
  if (!offer.server_name.empty())
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(offer.server_name.c_str()));
  if (!offer.protocol.empty()) {
    std::string wire(1, static_cast<char>(offer.protocol.size()));
    wire += offer.protocol;
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
  }
  if (offer.session) SSL_set_session(ssl, offer.session.get());
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const TlsOffer& offer)
    : context_(SSL_CTX_new(TLS_client_method())) {
  set_up(context_.get(), offer);
  SSL_CTX_sess_set_new_cb(context_.get(), keep_session);
  ssl_.reset(SSL_new(context_.get()));
  set_up(ssl_.get(), offer);
  SSL_set_ex_data(ssl_.get(), 0, this);
  socket_ = connect_to(port);
  SSL_set_fd(ssl_.get(), socket_.get());
  const auto size = static_cast<ssize_t>(offer.before.size());
  if (::send(socket_.get(), offer.before.data(), offer.before.size(), MSG_MORE) != size)
    fail_with_errno("send");
  ERR_clear_error();
  if (SSL_connect(ssl_.get()) != 1) failure_ = last_failure();
}

// OpenSSL takes the session of a connection that was not ended for a bad one.
TlsClient::~TlsClient() {
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

int TlsClient::keep_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<TlsClient*>(SSL_get_ex_data(ssl, 0))->session_ = Session(session, SslFree());
  return 1;  // it is ours now
}

std::string TlsClient::last_failure() const {
  const char* const reason = ERR_reason_error_string(ERR_peek_error());
  return reason != nullptr ? reason : errno != 0 ? std::strerror(errno) : "closed";
}

std::string TlsClient::shown_name() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  if (certificate == nullptr) return {};
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  return name.data();
}

std::string TlsClient::shown_key() const {
  const X509* const certificate = SSL_get0_peer_certificate(ssl_.get());
  return certificate == nullptr ? "" : EVP_PKEY_get0_type_name(X509_get0_pubkey(certificate));
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsClient::version() const {
  return SSL_get_version(ssl_.get());
}

bool TlsClient::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string TlsClient::get_half_closed(const std::function<void()>& then) {
  if (!failure_.empty()) return {};
  const std::string request = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
  ERR_clear_error();
  errno = 0;
  SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
  SSL_shutdown(ssl_.get());
  then();
  std::string answer;
  std::array<char, 4096> piece;
  int got = 1;
  while (got > 0) {
    got = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
    if (got > 0) answer.append(piece.data(), static_cast<std::size_t>(got));
  }
  if (SSL_get_error(ssl_.get(), got) != SSL_ERROR_ZERO_RETURN) failure_ = last_failure();
  return answer;
}

std::string TlsClient::get() {
  if (!failure_.empty()) return {};
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  ERR_clear_error();
  errno = 0;
  std::string answer;
  std::array<char, 4096> piece;
  std::size_t whole = std::string::npos;
  int got = SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
  while (got > 0 && answer.size() < whole) {
    got = SSL_read(ssl_.get(), piece.data(), static_cast<int>(piece.size()));
    if (got > 0) answer.append(piece.data(), static_cast<std::size_t>(got));
    const auto end = answer.find("\r\n\r\n");
    const auto length = answer.find("Content-Length: ");
    if (whole == std::string::npos && end != std::string::npos && length < end)
      whole = end + 4 + std::stoul(answer.substr(length + 16));
  }
  if (got > 0) return answer;
  failure_ = last_failure();
  return {};
}

}  // namespace segue::test
