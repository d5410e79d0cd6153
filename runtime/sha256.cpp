#include "runtime/sha256.hpp"

#include <openssl/evp.h>

#include <new>

#include "exchange/ensure.hpp"

namespace segue::runtime {

void Sha256::Free::operator()(EVP_MD_CTX* state) const noexcept { EVP_MD_CTX_free(state); }

// Fetched here, so that no text pays for the look-up.
Sha256::Sha256() : state_(EVP_MD_CTX_new()) {
  EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  const bool begun =
      state_ && algorithm != nullptr && EVP_DigestInit_ex2(state_.get(), algorithm, nullptr) == 1;
  EVP_MD_free(algorithm);
  if (!begun) throw std::bad_alloc();
}

void Sha256::restart() {
  ensure(EVP_DigestInit_ex2(state_.get(), nullptr, nullptr) == 1, "SHA-256 begins again");
}

void Sha256::add(std::string_view bytes) {
  ensure(EVP_DigestUpdate(state_.get(), bytes.data(), bytes.size()) == 1, "SHA-256 takes bytes");
}

std::string_view Sha256::end() {
  unsigned length = 0;
  auto* const out = reinterpret_cast<unsigned char*>(digest_.data());
  ensure(EVP_DigestFinal_ex(state_.get(), out, &length) == 1 && length == kBytes,
         "SHA-256 gives 32 bytes");
  return {digest_.data(), digest_.size()};
}

}  // namespace segue::runtime
