#include "recorder/redaction/keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kMostBytes = 4 << 10;  // of a key's file

class KeyFile {
 public:
  explicit KeyFile(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~KeyFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  throw StartupError(fmt::format("{}: {}", path.string(), what));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string read_whole(const std::filesystem::path& path) {
  const KeyFile file(path);
  if (file.fd() < 0) fail(path, fmt::format("cannot read the key: {}", std::strerror(errno)));
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0 || !S_ISREG(status.st_mode)) fail(path, "is no file");
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    fail(path, "other users may read or change this key: chmod 600 it");
  std::string content(kMostBytes + 1, '\0');
  std::size_t got = 0;
  for (;;) {
    const ssize_t n = ::read(file.fd(), content.data() + got, content.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, fmt::format("cannot read the key: {}", std::strerror(errno)));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  content.resize(got);
  return content;
}

AccountKey account_key(const KeySettings& settings, const std::filesystem::path& journal) {
  if (settings.account.empty()) return load_or_make_account_key(journal);
  AccountKey key;
  key.bytes = read_key_file("account", settings.account).bytes;
  return key;
}

}  // namespace

std::optional<std::array<unsigned char, RedactionKey::kBytes>> parse_key_bytes(
    std::string_view content) {
  std::array<unsigned char, RedactionKey::kBytes> key{};
  std::string_view text = content;
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  bool hexadecimal = text.size() == 2 * key.size();
  for (std::size_t i = 0; hexadecimal && i < key.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    hexadecimal = high >= 0 && low >= 0;
    key[i] = static_cast<unsigned char>((high << 4 | low) & 0xff);
  }
  if (hexadecimal) return key;
  if (content.size() < key.size()) return std::nullopt;
  if (content.size() == key.size()) {
    std::memcpy(key.data(), content.data(), key.size());
    return key;
  }
  unsigned length = 0;
  const bool hashed =
      EVP_Digest(content.data(), content.size(), key.data(), &length, EVP_sha256(), nullptr) == 1;
  ensure(hashed && length == key.size(), "SHA-256 gives 32 bytes");
  return key;
}

RedactionKey read_key_file(const std::string& id, const std::filesystem::path& path) {
  const std::string content = read_whole(path);
  if (content.size() > kMostBytes)
    fail(path, fmt::format("a key has at most {} bytes", kMostBytes));
  const auto bytes = parse_key_bytes(content);
  if (!bytes) fail(path, "is no key: write 64 hexadecimal digits or at least 32 bytes");
  return {id, *bytes};
}

std::vector<RedactionKey> load_all_keys(const KeySettings& settings) {
  std::vector<RedactionKey> keys;
  for (const KeySettings::File& file : settings.files)
    keys.push_back(read_key_file(file.id, file.path));
  return keys;
}

RedactionKeys load_redaction_keys(const KeySettings& settings,
                                  const std::filesystem::path& journal) {
  RedactionKeys keys;
  for (RedactionKey& key : load_all_keys(settings))
    if (key.id == settings.active) keys.active = std::move(key);
  keys.account = account_key(settings, journal);
  return keys;
}

}  // namespace segue::recorder
