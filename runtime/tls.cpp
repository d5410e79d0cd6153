#include "runtime/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"
#include "runtime/tls_identity.hpp"
#include "runtime/tls_server.hpp"

namespace segue::runtime {
namespace {

using boost::system::error_category;
using boost::system::error_code;

std::string certificate_text(int code) {
  return std::string("its certificate is not accepted: ") + X509_verify_cert_error_string(code);
}

std::string tls_text(int code) {
  const char* const text =
      ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, static_cast<unsigned>(code)));
  return text == nullptr ? "the handshake failed" : text;
}

// Boost's base class has a destructor that nobody can call through it; g++ 12 warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class Category final : public error_category {
 public:
  Category(const char* name, std::string (*text)(int)) : name_(name), text_(text) {}
  const char* name() const noexcept override { return name_; }
  std::string message(int code) const override { return text_(code); }

 private:
  const char* name_;
  std::string (*text_)(int);
};
#pragma GCC diagnostic pop

constexpr unsigned char kHttp[] = "\x08http/1.1";  // RFC 7301: length, then name

StartupError unusable(const std::string& what, const std::string& file) {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  StartupError error("cannot use " + what + " '" + file +
                     "': " + (reason == nullptr ? "OpenSSL refuses it" : reason) +
                     "; make it anew, with a key that is strong enough");
  ERR_clear_error();
  return error;
}

void trust(SSL_CTX* context, const std::vector<X509Ptr>& authorities, const std::string& file) {
  for (const X509Ptr& authority : authorities)
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1)
      throw unusable("CA file", file);
}

CertificateInfo info_of(const Identity& identity) {
  return {identity.file, identity.names.empty() ? identity.file : identity.names.front(),
          identity.not_after};
}

void show(SSL_CTX* context, const Identity& identity) {
  if (SSL_CTX_use_cert_and_key(context, identity.certificate.get(), identity.key.get(),
                               identity.chain.get(), 1) != 1)
    throw unusable("certificate", identity.file);
}

bool is_ip_address(const std::string& text) {
  in6_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

void SslDeleter::operator()(SSL* ssl) const noexcept {
  SSL_free(ssl);
}
void SslDeleter::operator()(SSL_CTX* context) const noexcept {
  SSL_CTX_free(context);
}

TlsContext::TlsContext(const SSL_METHOD* method) : context_(SSL_CTX_new(method)) {
  ensure(context_ != nullptr, "OpenSSL gives a context");
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

TlsContext TlsContext::server(const TlsServerSettings& settings, const PemFiles& files,
                              const TicketKeys& tickets) {
  ensure(!settings.certificates.empty(), "a listener with TLS has a certificate");
  TlsContext tls(TLS_server_method());
  SSL_CTX* const context = tls.context_.get();
  std::vector<Identity> identities;
  for (const TlsIdentityFiles& one : settings.certificates) {
    identities.push_back(parse_identity(files, one.certificate_file, one.key_file));
    if (identities.size() > 1 && identities.back().names.empty())
      throw StartupError("cannot use certificate '" + one.certificate_file +
                         "': it names no host (subjectAltName has no DNS name), so it would never "
                         "be chosen; put it first or leave it out");
    show(context, identities.back());  // refused now, not in a handshake
    tls.certificates_.push_back(info_of(identities.back()));
  }
  std::vector<X509Ptr> authorities;
  if (settings.client_certificates != ClientCertificates::none) {
    authorities = parse_authorities(files, settings.client_ca_file);
    trust(context, authorities, settings.client_ca_file);
  }
  set_up_server(context, settings, std::move(identities), authorities, tickets);
  ERR_clear_error();  // OpenSSL leaves doubts behind of what it accepts in the end
  return tls;
}

TlsContext TlsContext::client(const TlsClientSettings& settings, const PemFiles& files) {
  TlsContext tls(TLS_client_method());
  tls.side_ = Side::connects;
  SSL_CTX* const context = tls.context_.get();
  if (settings.ca_file.empty())
    SSL_CTX_set_default_verify_paths(context);
  else
    trust(context, parse_authorities(files, settings.ca_file), settings.ca_file);
  if (!settings.certificate_file.empty()) {
    const Identity identity = parse_identity(files, settings.certificate_file, settings.key_file);
    show(context, identity);
    tls.certificates_.push_back(info_of(identity));
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, kHttp, sizeof kHttp - 1);
  tls.server_name_ = settings.server_name;
  ERR_clear_error();
  return tls;
}

SslPtr TlsContext::session(int socket) const {
  SslPtr ssl(SSL_new(context_.get()));
  ensure(ssl != nullptr, "OpenSSL gives a session");
  SSL_set_fd(ssl.get(), socket);
  if (side_ == Side::accepts) {
    SSL_set_accept_state(ssl.get());
    return ssl;
  }
  SSL_set_connect_state(ssl.get());
  if (is_ip_address(server_name_)) {  // RFC 6066, 3: no SNI
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server_name_.c_str());
  } else if (!server_name_.empty()) {
    // SSL_set_tlsext_host_name without its C cast.
    SSL_ctrl(ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server_name_.c_str()));
    SSL_set1_host(ssl.get(), server_name_.c_str());
  }
  return ssl;
}

std::vector<std::string> files_of(const TlsServerSettings& settings) {
  std::vector<std::string> files{settings.client_ca_file};
  for (const TlsIdentityFiles& one : settings.certificates) {
    files.push_back(one.certificate_file);
    files.push_back(one.key_file);
  }
  return files;
}

std::vector<std::string> files_of(const TlsClientSettings& settings) {
  return {settings.ca_file, settings.certificate_file, settings.key_file};
}

const error_category& certificate_category() noexcept {
  static const Category category("certificate", certificate_text);
  return category;
}

const error_category& tls_category() noexcept {
  static const Category category("tls", tls_text);
  return category;
}

bool is_plain_http(const error_code& code) noexcept {
  return code == error_code(SSL_R_HTTP_REQUEST, tls_category());
}

error_code handshake_failure(const SSL& ssl) noexcept {
  const int reason = ERR_GET_REASON(ERR_peek_error());
  ERR_clear_error();
  const long verdict = SSL_get_verify_result(&ssl);
  if (verdict != X509_V_OK) return {static_cast<int>(verdict), certificate_category()};
  return {reason, tls_category()};
}

}  // namespace segue::runtime
