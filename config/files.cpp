#include "config/files.hpp"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace segue::config {
namespace {

namespace fs = std::filesystem;

// Closes a descriptor at the end of a scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

Error failure(int error, const char* doing) {
  return {.code = {error, boost::system::system_category()}, .doing = doing};
}

void add_matches(const fs::path& folder, fs::path::const_iterator part,
                 fs::path::const_iterator end, std::vector<fs::path>& found) {
  std::error_code error;
  const auto next = std::next(part);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (::fnmatch(part->c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    if (next == end) {
      if (entry.is_regular_file(error)) found.push_back(entry.path());
    } else if (entry.is_directory(error)) {
      add_matches(entry.path(), next, end, found);
    }
  }
}

}  // namespace

Result<std::string> read_file(const fs::path& path, std::size_t max_bytes) {
  constexpr std::size_t kChunk = 64 << 10;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failure(errno, "opening");
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return failure(errno, "reading");
  if (S_ISDIR(status.st_mode)) return failure(EISDIR, "reading");
  std::string text;
  while (text.size() <= max_bytes) {
    const std::size_t before = text.size();
    text.resize(before + kChunk);
    const ssize_t got = ::read(file.get(), text.data() + before, kChunk);
    if (got < 0 && errno != EINTR) return failure(errno, "reading");
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text;
}

std::vector<fs::path> matching_files(const fs::path& folder, const fs::path& pattern) {
  std::vector<fs::path> found;
  const fs::path normal = pattern.lexically_normal();
  if (normal.begin() != normal.end())
    add_matches(folder.empty() ? fs::path(".") : folder, normal.begin(), normal.end(), found);
  std::sort(found.begin(), found.end());
  return found;
}

bool is_below(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  const fs::path inner = fs::canonical(file, error);
  if (error) return false;
  const fs::path outer = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
  if (error) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace segue::config
