#include "recorder/keyed_hash.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"
#include "recorder/redaction/base64url.hpp"

namespace segue::recorder {
namespace {

constexpr std::size_t kHashBytes = 16;  // of the 32 that HMAC-SHA-256 gives
constexpr std::size_t kFileBytes = AccountKey::kBytes * 2 + 1;  // hexadecimal and a newline

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::filesystem::path& path, std::string_view what) {
  throw StartupError(fmt::format("{}: {}", path.string(), what));
}

[[noreturn]] void fail_errno(const std::filesystem::path& path, std::string_view doing) {
  fail(path, fmt::format("{}: {}", doing, std::strerror(errno)));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

AccountKey parse_key(std::string_view text, const std::filesystem::path& path) {
  AccountKey key;
  if (text.size() != kFileBytes || text.back() != '\n') fail(path, "is not an account key");
  for (std::size_t i = 0; i < AccountKey::kBytes; ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) fail(path, "is not an account key");
    key.bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return key;
}

std::string random_key_text(const std::filesystem::path& path) {
  std::array<unsigned char, AccountKey::kBytes> bytes;
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    fail_errno(path, "cannot make a random key");
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text + '\n';
}

// Written whole under another name and then linked, so that a reader never sees half a key and
// of two starting processes the second one finds the first one's.
void make_key(const std::filesystem::path& path) {
  const std::string text = random_key_text(path);
  const std::string temporary = fmt::format("{}.{}", path.string(), getpid());
  {
    const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                         S_IRUSR | S_IWUSR));
    if (file.fd() < 0) fail_errno(path, "cannot make the account key");
    if (write(file.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        fsync(file.fd()) != 0) {
      const int error = errno;
      unlink(temporary.c_str());
      errno = error;
      fail_errno(path, "cannot write the account key");
    }
  }
  const bool linked = link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST;
  const int error = errno;
  unlink(temporary.c_str());
  errno = error;
  if (!linked) fail_errno(path, "cannot make the account key");
}

}  // namespace

AccountKey load_account_key(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kAccountKeyFile;
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) fail_errno(path, "cannot read the account key");
  std::array<char, kFileBytes + 1> text;
  const ssize_t got = read(file.fd(), text.data(), text.size());
  if (got < 0) fail_errno(path, "cannot read the account key");
  return parse_key({text.data(), static_cast<std::size_t>(got)}, path);
}

AccountKey load_or_make_account_key(const std::filesystem::path& directory) {
  const std::filesystem::path path = directory / kAccountKeyFile;
  if (access(path.c_str(), F_OK) != 0) {
    if (errno != ENOENT) fail_errno(path, "cannot read the account key");
    make_key(path);
  }
  return load_account_key(directory);
}

KeyedHash::KeyedHash(const AccountKey& key) : mac_(key.bytes), entries_(kEntries) {}

std::string_view KeyedHash::text(std::string_view value) {
  if (value.size() > kLongestRemembered) {
    compute(value, long_text_);
    return {long_text_.data(), long_text_.size()};
  }
  Entry& entry = entries_[std::hash<std::string_view>{}(value) % kEntries];
  const bool known = entry.used && std::string_view(entry.value.data(), entry.length) == value;
  if (!known) {
    compute(value, entry.text);
    value.copy(entry.value.data(), value.size());
    entry.length = static_cast<std::uint8_t>(value.size());
    entry.used = true;
  }
  return {entry.text.data(), entry.text.size()};
}

void KeyedHash::compute(std::string_view value, std::array<char, kTextLength>& out) {
  const Mac::Tag tag = mac_.of(value);
  static_assert(kTextLength == 2 + base64url_length(kHashBytes));
  out[0] = 'h';
  out[1] = ':';
  write_base64url({reinterpret_cast<const char*>(tag.data()), kHashBytes}, out.data() + 2);
}

}  // namespace segue::recorder
