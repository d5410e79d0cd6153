#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/mac.hpp"

namespace segue::recorder {

// The secret under which account ids and redacted decision inputs are hashed.
struct AccountKey {
  static constexpr std::size_t kBytes = 32;
  std::array<unsigned char, kBytes> bytes{};
};

// Name of the key's file in the journal's folder: 64 hexadecimal digits, readable by its owner.
inline constexpr const char* kAccountKeyFile = "account.key";

// Reads the key in `directory`, or makes a random one there (mode 0600, complete or not at all,
// one winner when two processes start at once). Throws StartupError with one clear line.
AccountKey load_or_make_account_key(const std::filesystem::path& directory);

// Reads the key in `directory`. Throws StartupError when there is none or it is no key.
AccountKey load_account_key(const std::filesystem::path& directory);

// Hashes values so that equal values stay equal: "h:" and 22 characters of base64url, the first
// 128 bits of HMAC-SHA-256 (RFC 2104, RFC 4648 section 5). One thread. Remembers recent values,
// so that a returning account costs no HMAC; allocates at construction only.
class KeyedHash {
 public:
  static constexpr std::size_t kTextLength = 24;

  explicit KeyedHash(const AccountKey& key);
  KeyedHash(const KeyedHash&) = delete;
  KeyedHash& operator=(const KeyedHash&) = delete;

  // Valid until the next call.
  std::string_view text(std::string_view value);

 private:
  static constexpr std::size_t kEntries = 512;
  static constexpr std::size_t kLongestRemembered = 96;  // bytes of a value
  struct Entry {
    std::uint8_t length = 0;
    bool used = false;
    std::array<char, kLongestRemembered> value;
    std::array<char, kTextLength> text;
  };

  void compute(std::string_view value, std::array<char, kTextLength>& out);

  Mac mac_;
  std::vector<Entry> entries_;
  std::array<char, kTextLength> long_text_{};
};

}  // namespace segue::recorder
