#include "gateway/listening/unix_socket.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "runtime/owned_descriptor.hpp"

namespace segue::gateway {
using runtime::OwnedDescriptor;

namespace {

namespace fs = std::filesystem;

// How long the lock of a folder is waited for, and how often it is tried.
constexpr std::chrono::seconds kLocksWithin{1};
constexpr std::chrono::milliseconds kTriesLockAfter{5};

Error failed(int number, const char* doing) {
  return {{number, boost::system::system_category()}, Party::gateway, Retry::never, doing};
}

// Whether a process listens on it. A backlog that is full (EAGAIN) is somebody's, too.
bool somebody_listens(const UnixAddress& address, int type) {
  const OwnedDescriptor probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), address.data(), UnixAddress::size()) == 0 || errno != ECONNREFUSED;
}

int type_of(int socket) {
  int type = SOCK_STREAM;
  socklen_t size = sizeof type;
  getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size);
  return type;
}

// Of two processes that find the same dead file the second must not remove what the first has
// bound: both look and bind under a lock of the folder. Gateways hold it for an instant; whoever may
// read the folder may hold it for good, and that must not keep a gateway from its start: then, as
// where the folder cannot be locked, it goes on without.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : folder_(::open(folder.empty() ? "." : folder.c_str(),
                       O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    const auto end = std::chrono::steady_clock::now() + kLocksWithin;
    while (folder_.get() >= 0 && ::flock(folder_.get(), LOCK_EX | LOCK_NB) != 0 &&
           (errno == EWOULDBLOCK || errno == EINTR) && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(kTriesLockAfter);
  }

 private:
  OwnedDescriptor folder_;  // closing it unlocks
};

}  // namespace

Result<UnixAddress> unix_address(const fs::path& path) {
  const std::string text = path.string();
  if (text.size() > kMaxSocketPath) return failed(ENAMETOOLONG, "naming a Unix socket");
  UnixAddress address;
  address.text.sun_family = AF_UNIX;
  std::memcpy(address.text.sun_path, text.c_str(), text.size() + 1);
  return address;
}

SocketFileMark::SocketFileMark(fs::path path) : path_(std::move(path)) {
  struct stat status{};
  if (::lstat(path_.c_str(), &status) != 0) path_.clear();
  device_ = status.st_dev;
  inode_ = status.st_ino;
  made_at_ = status.st_mtim;
}

bool SocketFileMark::is_there() const noexcept {
  struct stat status{};
  return !path_.empty() && ::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
         status.st_ino == inode_ && status.st_mtim.tv_sec == made_at_.tv_sec &&
         status.st_mtim.tv_nsec == made_at_.tv_nsec;
}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
  if (this == &other) return *this;
  remove();
  mark_ = std::exchange(other.mark_, {});
  return *this;
}

void SocketFile::remove() noexcept {
  if (mark_.is_there()) ::unlink(mark_.path().c_str());
  mark_ = {};
}

Result<SocketFile> listen_on_file(int socket, const fs::path& path, mode_t mode, int backlog) {
  const auto address = unix_address(path);
  if (!address) return address.error();
  const FolderLock lock(path.parent_path());
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return failed(EEXIST, "binding a Unix socket");
    if (somebody_listens(*address, type_of(socket)))
      return failed(EADDRINUSE, "binding a Unix socket");
    ::unlink(path.c_str());
  }
  if (::bind(socket, address->data(), UnixAddress::size()) != 0)
    return failed(errno, "binding a Unix socket");
  SocketFile file{SocketFileMark(path)};
  // Nobody can connect before listen(), so the mode is never wider than asked for.
  if (::chmod(path.c_str(), mode) == 0 && ::listen(socket, backlog) == 0) return file;
  const int why = errno;
  file.remove();
  return failed(why, "listening on a Unix socket");
}

}  // namespace segue::gateway
