#include "runtime/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"

namespace segue::runtime {
namespace {

// "PATH: reason" with what OpenSSL says last.
StartupError refused(const std::string& what, const std::string& file) {
  char reason[256];
  ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
  ERR_clear_error();
  return StartupError("cannot use " + what + " '" + file + "': " + reason +
                      "; check that the file exists, is readable and is PEM");
}

}  // namespace

void SslDeleter::operator()(SSL* ssl) const noexcept {
  SSL_free(ssl);
}
void SslDeleter::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

TlsContext::TlsContext(bool accepts)
    : context_(SSL_CTX_new(accepts ? TLS_server_method() : TLS_client_method())),
      accepts_(accepts) {
  ensure(context_ != nullptr, "OpenSSL gives a context");
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

void TlsContext::load_certificate(const std::string& certificate_file,
                                  const std::string& key_file) {
  if (SSL_CTX_use_certificate_chain_file(context_.get(), certificate_file.c_str()) != 1)
    throw refused("certificate", certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context_.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    throw refused("key", key_file);
  if (SSL_CTX_check_private_key(context_.get()) != 1)
    throw refused("key (it does not belong to the certificate)", key_file);
}

TlsContext TlsContext::server(const std::string& certificate_file, const std::string& key_file) {
  TlsContext tls(true);
  tls.load_certificate(certificate_file, key_file);
  return tls;
}

TlsContext TlsContext::client(const std::string& ca_file, const std::string& certificate_file,
                              const std::string& key_file, const std::string& server_name) {
  TlsContext tls(false);
  SSL_CTX* context = tls.context_.get();
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                     : SSL_CTX_load_verify_file(context, ca_file.c_str());
  if (loaded != 1) throw refused("CA file", ca_file);
  if (!certificate_file.empty()) tls.load_certificate(certificate_file, key_file);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  tls.server_name_ = server_name;
  return tls;
}

SslPtr TlsContext::session(int socket) const {
  SslPtr ssl(SSL_new(context_.get()));
  ensure(ssl != nullptr, "OpenSSL gives a session");
  SSL_set_fd(ssl.get(), socket);
  if (accepts_) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  in6_addr address;
  if (inet_pton(AF_INET, server_name_.c_str(), &address) == 1 ||
      inet_pton(AF_INET6, server_name_.c_str(), &address) == 1) {  // RFC 6066, 3: no SNI
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server_name_.c_str());
  } else if (!server_name_.empty()) {
    // SSL_set_tlsext_host_name without its C cast.
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name_.c_str()));
    SSL_set1_host(ssl.get(), server_name_.c_str());
  }
  return ssl;
}

}  // namespace segue::runtime
