#include "recorder/redaction/seal.hpp"

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "exchange/ensure.hpp"
#include "recorder/redaction/base64url.hpp"
#include "recorder/redaction/cipher.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kRunBytes = 16;
// run, lane, sequence, counter, length of the ciphertext
constexpr std::size_t kHeadBytes = kRunBytes + 4 + 8 + 8 + 4;
constexpr std::size_t kKeyedBytes = kRunBytes + 4 + 8;  // of the head: what the key is derived from
constexpr std::string_view kInfo = "segue redaction encrypt 1";

std::uint64_t* page_emptied_by_fork() {
#ifdef MADV_WIPEONFORK
  void* const page =
      mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (madvise(page, kPage, MADV_WIPEONFORK) == 0) return static_cast<std::uint64_t*>(page);
  munmap(page, kPage);
#endif
  return nullptr;
}

void append_number(std::uint64_t number, std::size_t bytes, std::string& out) {
  for (std::size_t i = bytes; i-- > 0;) out += static_cast<char>(number >> (8 * i) & 0xff);
}

std::uint64_t read_number(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

Gcm::Nonce nonce_of(std::uint64_t counter) {
  Gcm::Nonce nonce{};
  for (std::size_t i = 0; i < 8; ++i)
    nonce[nonce.size() - 1 - i] = static_cast<unsigned char>(counter >> (8 * i));
  return nonce;
}

Gcm::Key key_of(const RedactionKey& key, std::string_view run_lane_sequence) {
  return hkdf(key.bytes, std::string(kInfo) + std::string(run_lane_sequence));
}

}  // namespace

Sealer::Sealer(const RedactionKey& key, std::uint32_t lane)
    : key_(key),
      lane_(lane),
      hash_prefix_("h:" + key.id + ":"),
      seal_prefix_("e:" + key.id + ":"),
      mac_(key.bytes),
      same_process_(page_emptied_by_fork()) {
  renew();
}

Sealer::~Sealer() {
  if (same_process_ != nullptr) munmap(same_process_, kPage);
  OPENSSL_cleanse(key_.bytes.data(), key_.bytes.size());
}

void Sealer::renew() {
  const bool drawn = getrandom(run_.data(), run_.size(), 0) == static_cast<ssize_t>(run_.size());
  ensure(drawn, "the kernel gives random bytes");
  sequence_ = 0;
  derive();
  if (same_process_ != nullptr) *same_process_ = 1;
  process_ = getpid();
}

void Sealer::derive() {
  counter_ = 0;
  std::string span(reinterpret_cast<const char*>(run_.data()), run_.size());
  append_number(lane_, 4, span);
  append_number(sequence_, 8, span);
  cipher_.use(key_of(key_, span));
}

void Sealer::hash(std::string_view value, std::string& out) {
  const Mac::Tag tag = mac_.of(value);
  out += hash_prefix_;
  append_base64url({reinterpret_cast<const char*>(tag.data()), kHashBytes}, out);
}

void Sealer::seal(std::string_view plain, SealedForm form, std::string& out) {
  const bool forked = same_process_ != nullptr ? *same_process_ == 0 : process_ != getpid();
  if (forked) {
    renew();
  } else if (counter_ == kValuesPerKey) {
    ++sequence_;
    derive();
  }
  ++counter_;
  scratch_.assign(1, static_cast<char>(form));
  scratch_ += plain;
  std::string sealed(reinterpret_cast<const char*>(run_.data()), run_.size());
  append_number(lane_, 4, sealed);
  append_number(sequence_, 8, sealed);
  append_number(counter_, 8, sealed);
  append_number(scratch_.size(), 4, sealed);
  cipher_.encrypt(nonce_of(counter_), seal_prefix_, scratch_, sealed);
  OPENSSL_cleanse(scratch_.data(), scratch_.size());
  out += seal_prefix_;
  append_base64url(sealed, out);
}

Opener::Opener(std::vector<RedactionKey> keys) : keys_(std::move(keys)) {}

Opener::~Opener() {
  for (RedactionKey& key : keys_) OPENSSL_cleanse(key.bytes.data(), key.bytes.size());
}

std::optional<Opener::Opened> Opener::open(std::string_view text) {
  const std::size_t colon = text.find(':', 2);
  constexpr std::size_t kHeadText = base64url_length(kHeadBytes);
  static_assert(kHeadBytes * 8 % 6 == 2, "the head ends within a character");
  if (colon == std::string_view::npos || text.size() < colon + 1 + kHeadText) return std::nullopt;
  const std::string_view id = text.substr(2, colon - 2);
  const auto key = std::ranges::find(keys_, id, &RedactionKey::id);
  if (key == keys_.end()) return std::nullopt;

  const std::string_view digits = text.substr(colon + 1);
  // The last character of the head also holds bits of what follows: the length is read from whole
  // groups behind it.
  const auto head = decode_base64url(digits.substr(0, (kHeadBytes + 2) / 3 * 4));
  if (!head) return std::nullopt;
  const std::uint64_t length = read_number(std::string_view(*head).substr(kHeadBytes - 4, 4));
  const std::size_t whole =
      base64url_length(kHeadBytes + static_cast<std::size_t>(length) + Gcm::kTagBytes);
  if (length == 0 || digits.size() < whole) return std::nullopt;
  const auto sealed = decode_base64url(digits.substr(0, whole));
  if (!sealed) return std::nullopt;

  const std::string_view bytes = *sealed;
  std::string span(id);
  span += bytes.substr(0, kKeyedBytes);
  if (span != span_) {
    cipher_.use(key_of(*key, bytes.substr(0, kKeyedBytes)));
    span_ = span;
  }
  const std::uint64_t counter = read_number(bytes.substr(kKeyedBytes, 8));
  auto plain =
      cipher_.decrypt(nonce_of(counter), text.substr(0, colon + 1), bytes.substr(kHeadBytes));
  if (!plain || plain->empty() || plain->front() > static_cast<char>(SealedForm::json_value))
    return std::nullopt;
  const auto form = static_cast<SealedForm>(plain->front());
  plain->erase(0, 1);
  return Opened{std::move(*plain), form, colon + 1 + whole};
}

namespace {

// Whether a sealed value starts here whose key is not known or that is damaged.
bool looks_sealed(std::string_view text) {
  constexpr std::size_t kLongestId = 64;
  const std::size_t colon = text.find(':', 2);
  if (colon == std::string_view::npos || colon == 2 || colon - 2 > kLongestId) return false;
  const auto is_sealed_text = [](std::string_view part) {
    return std::ranges::all_of(part, is_base64url);
  };
  constexpr std::size_t kFewest = base64url_length(kHeadBytes + 1 + Gcm::kTagBytes);
  const std::string_view digits = text.substr(colon + 1, kFewest);
  return digits.size() == kFewest && is_sealed_text(text.substr(2, colon - 2)) &&
         is_sealed_text(digits);
}

}  // namespace

Opener::Count Opener::open_all(std::string& text) {
  Count count;
  std::string out;
  const std::string_view all = text;
  std::size_t copied = 0;
  for (std::size_t at = all.find("e:"); at != std::string::npos;) {
    const auto opened = open(all.substr(at));
    if (!opened) {
      if (looks_sealed(all.substr(at))) ++count.closed;
      at = all.find("e:", at + 2);
      continue;
    }
    ++count.opened;
    std::size_t end = at + opened->length;
    out += all.substr(copied, at - copied);
    const bool quoted = out.ends_with('"') && end < all.size() && all[end] == '"';
    if (opened->form == SealedForm::json_value && quoted) {
      out.pop_back();
      ++end;
    }
    out += opened->plain;
    copied = end;
    at = all.find("e:", end);
  }
  if (count.opened == 0) return count;
  out += all.substr(copied);
  text = std::move(out);
  return count;
}

}  // namespace segue::recorder
