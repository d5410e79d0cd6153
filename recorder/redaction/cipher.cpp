#include "recorder/redaction/cipher.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "exchange/ensure.hpp"

namespace segue::recorder {
namespace {

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
int length_of(std::string_view text) {
  return static_cast<int>(text.size());
}

}  // namespace

Gcm::Gcm() : context_(EVP_CIPHER_CTX_new()) {
  ensure(context_ != nullptr, "OpenSSL makes a cipher context");
}

Gcm::~Gcm() {
  EVP_CIPHER_CTX_free(context_);
  OPENSSL_cleanse(key_.data(), key_.size());
}

void Gcm::use(const Key& key) {
  key_ = key;
}

void Gcm::encrypt(const Nonce& nonce, std::string_view associated, std::string_view plain,
                  std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + plain.size() + kTagBytes);
  auto* const at = reinterpret_cast<unsigned char*>(out.data() + before);
  int n = 0;
  int last = 0;
  const bool done =
      EVP_EncryptInit_ex(context_, EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) == 1 &&
      EVP_EncryptUpdate(context_, nullptr, &n, octets(associated), length_of(associated)) == 1 &&
      EVP_EncryptUpdate(context_, at, &n, octets(plain), length_of(plain)) == 1 &&
      EVP_EncryptFinal_ex(context_, at + n, &last) == 1 &&
      EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_GET_TAG, kTagBytes, at + plain.size()) == 1;
  ensure(done && static_cast<std::size_t>(n + last) == plain.size(), "AES-256-GCM encrypts");
}

std::optional<std::string> Gcm::decrypt(const Nonce& nonce, std::string_view associated,
                                        std::string_view sealed) {
  if (sealed.size() < kTagBytes) return std::nullopt;
  const std::string_view text = sealed.substr(0, sealed.size() - kTagBytes);
  std::string tag(sealed.substr(text.size()));
  std::string plain(text.size(), '\0');
  auto* const at = reinterpret_cast<unsigned char*>(plain.data());
  int n = 0;
  const bool done =
      EVP_DecryptInit_ex(context_, EVP_aes_256_gcm(), nullptr, key_.data(), nonce.data()) == 1 &&
      EVP_DecryptUpdate(context_, nullptr, &n, octets(associated), length_of(associated)) == 1 &&
      EVP_DecryptUpdate(context_, at, &n, octets(text), length_of(text)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context_, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1;
  int last = 0;
  if (!done || EVP_DecryptFinal_ex(context_, at + n, &last) != 1) return std::nullopt;
  return plain;
}

Gcm::Key hkdf(std::span<const unsigned char> secret, std::string_view info) {
  EVP_KDF* const algorithm = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  ensure(algorithm != nullptr, "OpenSSL has HKDF");
  EVP_KDF_CTX* const context = EVP_KDF_CTX_new(algorithm);
  EVP_KDF_free(algorithm);
  ensure(context != nullptr, "OpenSSL makes an HKDF context");
  char digest[] = "SHA256";
  std::string key(reinterpret_cast<const char*>(secret.data()), secret.size());
  std::string about(info);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, about.data(), about.size()),
      OSSL_PARAM_construct_end()};
  Gcm::Key derived{};
  const bool done = EVP_KDF_derive(context, derived.data(), derived.size(), parameters) == 1;
  EVP_KDF_CTX_free(context);
  OPENSSL_cleanse(key.data(), key.size());
  ensure(done, "HKDF-SHA-256 derives 32 bytes");
  return derived;
}

}  // namespace segue::recorder
