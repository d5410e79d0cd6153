#include "runtime/tls_server.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "exchange/ensure.hpp"
#include "runtime/tls.hpp"

namespace segue::runtime {
namespace {

// TLS 1.2: forward secrecy and authenticated encryption only (RFC 9325, 4.2). TLS 1.3 has no other.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::string_view kHttp = "http/1.1";

// The certificates of one listener and which names they serve. Immutable.
class Choice {
 public:
  Choice(std::vector<Identity> identities, const TicketKeys& keys)
      : tickets(keys), identities_(std::move(identities)) {
    for (const Identity& identity : identities_)
      for (const std::string& name : identity.names) add(name, identity);
    first_.push_back(&identities_.front());
  }

  using Found = std::vector<const Identity*>;
  // `name` as comparable_name() gives it.
  const Found& find(const std::string& name) const {
    auto found = by_name_.find(name);
    const std::size_t dot = name.find('.');
    if (found == by_name_.end() && dot != std::string::npos)
      found = by_name_.find("*" + name.substr(dot));
    return found == by_name_.end() ? first_ : found->second;
  }

  const TicketKeys tickets;

 private:
  void add(const std::string& name, const Identity& identity) {
    Found& found = by_name_[name];
    const int kind = EVP_PKEY_get_base_id(identity.key.get());
    const bool has_one = std::ranges::any_of(found, [kind](const Identity* other) {
      return EVP_PKEY_get_base_id(other->key.get()) == kind;
    });
    if (!has_one) found.push_back(&identity);
  }

  std::vector<Identity> identities_;
  std::map<std::string, Found> by_name_;
  Found first_;
};

void free_choice(void*, void* choice, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Choice*>(choice);
}

int choice_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_choice);
  return index;
}

std::string requested_name(const SSL* ssl) {
  const char* const text = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return text == nullptr ? std::string() : comparable_name(text);
}

// Not called where a session is resumed: then no certificate is shown.
int choose_certificate(SSL* ssl, void* data) {
  const auto& choice = *static_cast<const Choice*>(data);
  SSL_certs_clear(ssl);
  for (const Identity* identity : choice.find(requested_name(ssl)))
    if (SSL_use_cert_and_key(ssl, identity->certificate.get(), identity->key.get(),
                             identity->chain.get(), 1) != 1)
      return 0;
  return 1;
}

// Says that the name was heard, so that OpenSSL keeps it with the session. What is served is
// decided by Host alone: one connection may serve all names of a listener.
int hear_name(SSL* ssl, int*, void*) {
  const bool named = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != nullptr;
  return named ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

// RFC 7301, 3.2: who offers nothing that is spoken here is told so.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned bytes, void*) {
  for (unsigned at = 0; at < bytes; at += 1u + offered[at]) {
    const std::string_view name(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (name != kHttp) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A session is resumed only under the rules for clients that it was begun under: it is not asked
// for its certificate again.
void bind_sessions(SSL_CTX* context, const TlsServerSettings& settings,
                   const std::vector<X509Ptr>& client_authorities) {
  std::string rules(1, static_cast<char>(settings.client_certificates));
  for (const X509Ptr& authority : client_authorities) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    ensure(X509_digest(authority.get(), EVP_sha256(), digest.data(), &size) == 1,
           "OpenSSL has SHA-256");
    rules.append(digest.begin(), digest.begin() + size);
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> id;
  unsigned size = 0;
  ensure(EVP_Digest(rules.data(), rules.size(), id.data(), &size, EVP_sha256(), nullptr) == 1 &&
             SSL_CTX_set_session_id_context(context, id.data(), size) == 1,
         "a session id context is set");
}

void ask_clients(SSL_CTX* context, ClientCertificates rule,
                 const std::vector<X509Ptr>& client_authorities) {
  if (rule == ClientCertificates::none) return;
  const int required = rule == ClientCertificates::required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  for (const X509Ptr& authority : client_authorities)
    SSL_CTX_add_client_CA(context, authority.get());
}

}  // namespace

void set_up_server(SSL_CTX* context, const TlsServerSettings& settings,
                   std::vector<Identity> identities, const std::vector<X509Ptr>& client_authorities,
                   const TicketKeys& tickets) {
  if (settings.min_version == TlsVersion::v1_3)
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  ensure(SSL_CTX_set_cipher_list(context, kCiphers) == 1, "OpenSSL has these ciphers");
  // SSL_CTX_set1_groups_list without its C cast.
  ensure(SSL_CTX_ctrl(context, SSL_CTRL_SET_GROUPS_LIST, 0, const_cast<char*>(kGroups)) == 1,
         "OpenSSL has these groups");
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);

  auto choice = std::make_unique<Choice>(std::move(identities), tickets);
  Choice* const kept = choice.get();
  ensure(SSL_CTX_set_ex_data(context, choice_index(), choice.release()) == 1,
         "OpenSSL keeps what belongs to a context");
  SSL_CTX_set_cert_cb(context, choose_certificate, kept);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // SSL_CTX_set_tlsext_servername_callback without its C cast.
  SSL_CTX_callback_ctrl(context, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                        reinterpret_cast<void (*)()>(hear_name));

  ask_clients(context, settings.client_certificates, client_authorities);
  bind_sessions(context, settings, client_authorities);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, kTlsSessionSeconds);
  use_ticket_keys(context, kept->tickets);
}

}  // namespace segue::runtime
