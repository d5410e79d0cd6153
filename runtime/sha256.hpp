#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

namespace segue::runtime {

// SHA-256 (FIPS 180-4) of one text after another, each in pieces. One thread. Its memory is taken
// at construction, which throws std::bad_alloc, and used for all of them.
class Sha256 {
 public:
  static constexpr std::size_t kBytes = 32;

  Sha256();

  // Another text begins; so it does at construction.
  void restart();
  void add(std::string_view bytes);
  // kBytes octets, valid until the next end(). Nothing is added behind it before a restart().
  std::string_view end();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* state) const noexcept;
  };
  std::unique_ptr<EVP_MD_CTX, Free> state_;
  std::array<char, kBytes> digest_{};
};

}  // namespace segue::runtime
