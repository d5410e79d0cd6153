#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct evp_cipher_ctx_st;

namespace segue::recorder {

// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags. One thread.
class Gcm {
 public:
  static constexpr std::size_t kKeyBytes = 32;
  static constexpr std::size_t kTagBytes = 16;
  using Key = std::array<unsigned char, kKeyBytes>;
  using Nonce = std::array<unsigned char, 12>;

  Gcm();
  ~Gcm();
  Gcm(const Gcm&) = delete;
  Gcm& operator=(const Gcm&) = delete;

  void use(const Key& key);
  // Appends ciphertext and tag. `associated` is authenticated, not stored.
  void encrypt(const Nonce& nonce, std::string_view associated, std::string_view plain,
               std::string& out);
  // `sealed` is ciphertext and tag; nullopt when it was not made with this key, nonce and data.
  std::optional<std::string> decrypt(const Nonce& nonce, std::string_view associated,
                                     std::string_view sealed);

 private:
  evp_cipher_ctx_st* context_;
  Key key_{};
};

// HKDF-SHA-256 (RFC 5869) without salt.
Gcm::Key hkdf(std::span<const unsigned char> secret, std::string_view info);

}  // namespace segue::recorder
