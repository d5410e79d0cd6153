#include "recorder/redaction/mac.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "exchange/ensure.hpp"

namespace segue::recorder {

struct Mac::Context {
  EVP_MAC* algorithm = nullptr;
  EVP_MAC_CTX* state = nullptr;

  Context() = default;
  ~Context() {
    EVP_MAC_CTX_free(state);
    EVP_MAC_free(algorithm);
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Mac::Mac(std::span<const unsigned char> key) : context_(std::make_unique<Context>()) {
  context_->algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  ensure(context_->algorithm != nullptr, "OpenSSL has HMAC");
  context_->state = EVP_MAC_CTX_new(context_->algorithm);
  ensure(context_->state != nullptr, "OpenSSL makes an HMAC context");
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  ensure(EVP_MAC_init(context_->state, key.data(), key.size(), parameters) == 1,
         "HMAC-SHA-256 takes a key");
}

Mac::~Mac() = default;

Mac::Tag Mac::of(std::string_view value) {
  Tag tag{};
  std::size_t length = 0;
  EVP_MAC_CTX* const state = context_->state;
  // Init without a key starts again under the key that the context holds.
  const bool done = EVP_MAC_init(state, nullptr, 0, nullptr) == 1 &&
                    EVP_MAC_update(state, reinterpret_cast<const unsigned char*>(value.data()),
                                   value.size()) == 1 &&
                    EVP_MAC_final(state, tag.data(), &length, tag.size()) == 1;
  ensure(done && length == tag.size(), "HMAC-SHA-256 gives 32 bytes");
  return tag;
}

}  // namespace segue::recorder
