#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

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

// The file of a bound Unix socket: removed when this goes, but only while it is still the one that
// was bound, for another process may have put its own in its place.
class SocketFile {
 public:
  SocketFile() = default;
  // The file that is there now.
  explicit SocketFile(std::filesystem::path path);
  SocketFile(SocketFile&& other) noexcept { *this = std::move(other); }
  SocketFile& operator=(SocketFile&& other) noexcept;
  ~SocketFile() { remove(); }

  bool is_ours() const noexcept { return !path_.empty(); }
  void remove() noexcept;
  // Another process owns it from here on.
  void leave() noexcept { path_.clear(); }

 private:
  std::filesystem::path path_;  // empty: none
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Binds `socket` to `path` with this mode of the file and listens. What a dead process left there is
// replaced; EADDRINUSE when a process listens on it, EEXIST when it is no socket.
Result<SocketFile> listen_on_file(int socket, const std::filesystem::path& path, mode_t mode,
                                  int backlog);

}  // namespace segue::gateway
