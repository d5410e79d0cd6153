#include "runtime/tls_tickets.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "exchange/ensure.hpp"

namespace segue::runtime {
namespace {

// What SSL_CTX_set_tlsext_ticket_key_evp_cb() wants to hear.
constexpr int kFailed = -1;
constexpr int kUnknown = 0;  // a full handshake follows
constexpr int kGood = 1;
constexpr int kGoodAndRenew = 2;

TicketKeys::Key random_key() {
  TicketKeys::Key key;
  ensure(RAND_bytes(key.name.data(), key.name.size()) == 1 &&
             RAND_priv_bytes(key.cipher.data(), key.cipher.size()) == 1 &&
             RAND_priv_bytes(key.mac.data(), key.mac.size()) == 1,
         "OpenSSL has random bytes");
  return key;
}

int keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool set_mac(EVP_MAC_CTX* mac, const TicketKeys::Key& key) {
  auto bytes = key.mac;  // OSSL_PARAM takes what it could change
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes.data(), bytes.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end(),
  };
  const bool set = EVP_MAC_CTX_set_params(mac, params) == 1;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return set;
}

int seal(const TicketKeys::Key& key, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
         EVP_MAC_CTX* mac) {
  std::ranges::copy(key.name, name);
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kFailed;
  const bool ready =
      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1;
  return ready && set_mac(mac, key) ? kGood : kFailed;
}

int ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
               EVP_MAC_CTX* mac, int sealing) {
  const auto& keys =
      *static_cast<const TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index()));
  if (sealing == 1) return seal(keys.newest(), name, iv, cipher, mac);
  const TicketKeys::Key* const key = keys.find(name);
  if (key == nullptr) return kUnknown;
  const bool ready =
      EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1;
  if (!ready || !set_mac(mac, *key)) return kFailed;
  // RFC 8446, C.4: who resumes is given another ticket, so that none is seen twice on the wire.
  return key == &keys.newest() && SSL_version(ssl) < TLS1_3_VERSION ? kGood : kGoodAndRenew;
}

}  // namespace

TicketKeys TicketKeys::fresh() {
  return TicketKeys(random_key());
}

TicketKeys TicketKeys::rotated() const {
  TicketKeys next(random_key());
  next.before_ = newest_;
  return next;
}

TicketKeys::~TicketKeys() {
  OPENSSL_cleanse(&newest_, sizeof newest_);
  if (before_) OPENSSL_cleanse(&*before_, sizeof *before_);
}

const TicketKeys::Key* TicketKeys::find(const unsigned char* name) const noexcept {
  const auto is = [name](const Key& key) {
    return std::memcmp(key.name.data(), name, key.name.size()) == 0;
  };
  if (is(newest_)) return &newest_;
  return before_ && is(*before_) ? &*before_ : nullptr;
}

void use_ticket_keys(SSL_CTX* context, const TicketKeys& keys) {
  // OpenSSL hands the data out as void*; it is only ever read again as const.
  SSL_CTX_set_ex_data(context, keys_index(), const_cast<TicketKeys*>(&keys));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key);
}

}  // namespace segue::runtime
