#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/redaction/cipher.hpp"
#include "recorder/redaction/keys.hpp"
#include "recorder/redaction/mac.hpp"

namespace segue::recorder {

// What a sealed value was cut out of, so that it can be put back: text as it stood, or the raw text
// of a JSON value, which stands on record as a JSON string and goes back without those quotes.
enum class SealedForm : std::uint8_t { text = 0, json_value = 1 };

// Hashes and encrypts values under the active key. docs/redaction.md has both formats.
//
// hash: "h:<key>:" and 22 characters of base64url, the first 128 bits of HMAC-SHA-256.
// seal: "e:<key>:" and base64url of run (16 bytes), lane (4), sequence (8), counter (8), length of
// the ciphertext (4), the ciphertext of AES-256-GCM and its tag (16), numbers big-endian.
//
// No key and nonce meet twice: `run` is drawn at random by each sealer, and again by the child
// after a fork; `sequence` rises after kValuesPerKey values; HKDF-SHA-256 over the three gives the
// key, and the counter is the nonce. One thread; neither copied nor moved.
class Sealer {
 public:
  static constexpr std::uint64_t kValuesPerKey = std::uint64_t{1} << 20;
  static constexpr std::size_t kHashBytes = 16;

  // `lane`: number of the core, for those who ask where a value was sealed.
  Sealer(const RedactionKey& key, std::uint32_t lane);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  // Both append to `out`.
  void hash(std::string_view value, std::string& out);
  void seal(std::string_view plain, SealedForm form, std::string& out);

 private:
  void renew();
  void derive();

  RedactionKey key_;
  std::uint32_t lane_;
  std::string hash_prefix_, seal_prefix_;
  Mac mac_;
  Gcm cipher_;
  std::array<unsigned char, 16> run_{};
  std::uint64_t sequence_ = 0;
  std::uint64_t counter_ = 0;
  // A page that the kernel empties in a forked child: 0 there, and the child draws its own run.
  // Null where it cannot: then the process id is asked for each time.
  std::uint64_t* same_process_ = nullptr;
  int process_ = 0;
  std::string scratch_;
};

// Opens what any sealer has sealed, with the keys it was given. One thread.
class Opener {
 public:
  explicit Opener(std::vector<RedactionKey> keys);
  ~Opener();
  Opener(const Opener&) = delete;
  Opener& operator=(const Opener&) = delete;

  struct Count {
    std::uint64_t opened = 0;
    std::uint64_t closed =
        0;  // sealed values that stay: their key is not here, or they are damaged
  };
  // Puts back every sealed value within `text`.
  Count open_all(std::string& text);

  bool has_keys() const noexcept { return !keys_.empty(); }

 private:
  struct Opened {
    std::string plain;
    SealedForm form;
    std::size_t length;  // of the sealed text
  };
  // `text` starts with "e:".
  std::optional<Opened> open(std::string_view text);

  std::vector<RedactionKey> keys_;
  Gcm cipher_;
  std::string span_;  // key id, run, lane and sequence whose key `cipher_` holds
};

}  // namespace segue::recorder
