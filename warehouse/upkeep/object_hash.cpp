#include "warehouse/upkeep/object_hash.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

namespace segue::warehouse {
namespace {

constexpr std::uint64_t kPiece = 8 << 20;  // bytes that are read at once

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw StorageError("SHA-256 is not to be had of OpenSSL");
  }

  void add(std::string_view octets) {
    EVP_DigestUpdate(context_.get(), octets.data(), octets.size());
  }

  std::string text() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &length);
    std::string hexadecimal;
    for (unsigned i = 0; i < length; ++i)
      fmt::format_to(std::back_inserter(hexadecimal), "{:02x}", digest[i]);
    return hexadecimal;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return hash.text();
}

std::string sha256_of_object(ObjectStore& store, const std::string& key) {
  const auto bytes = store.size(key);
  if (!bytes) throw StorageError(fmt::format("{}: {} is gone", store.name(), key));
  Sha256 hash;
  for (std::uint64_t at = 0; at < *bytes; at += kPiece)
    hash.add(store.read(key, at, std::min(kPiece, *bytes - at)));
  return hash.text();
}

}  // namespace segue::warehouse
