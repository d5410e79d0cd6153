#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include <filesystem>
#include <utility>

#include "exchange/error.hpp"

namespace segue::gateway {

// sun_path holds as many bytes, without the zero that ends it.
inline constexpr std::size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

// A Unix address as system calls take it.
struct UnixAddress {
  sockaddr_un text{};
  const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&text); }
  static constexpr socklen_t size() noexcept { return sizeof(sockaddr_un); }
};
// Fails with ENAMETOOLONG.
Result<UnixAddress> unix_address(const std::filesystem::path& path);

// Which file a path named when this was made: another process may put its own in its place.
class SocketFileMark {
 public:
  SocketFileMark() = default;
  // None when nothing is there.
  explicit SocketFileMark(std::filesystem::path path);

  bool names_any() const noexcept { return !path_.empty(); }
  // The same file is still there.
  bool is_there() const noexcept;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
  timespec made_at_{};  // the next file may get the number of one that is gone
};

// The file of a bound Unix socket: removed when this goes, but only while it is still the one that
// was bound.
class SocketFile {
 public:
  SocketFile() = default;
  explicit SocketFile(SocketFileMark mark) : mark_(std::move(mark)) {}
  SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile() { remove(); }

  bool is_ours() const noexcept { return mark_.names_any(); }
  // Nobody has removed or replaced it.
  bool is_there() const noexcept { return mark_.is_there(); }
  void remove() noexcept;
  // Another process owns it from here on.
  void leave() noexcept { mark_ = {}; }

 private:
  SocketFileMark mark_;
};

// Binds `socket` to `path` with this mode of the file and listens. What a dead process left there is
// replaced; EADDRINUSE when a process listens on it, EEXIST when it is no socket.
Result<SocketFile> listen_on_file(int socket, const std::filesystem::path& path, mode_t mode,
                                  int backlog);

}  // namespace segue::gateway
