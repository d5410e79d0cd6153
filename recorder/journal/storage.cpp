#include "recorder/journal/storage.hpp"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "recorder/journal/file_handle.hpp"

namespace segue::recorder {
namespace {

constexpr std::uint32_t kXfsMagic = 0x58465342;  // not in every <linux/magic.h>
constexpr std::size_t kZeroBlock = 1 << 20;

int write_zeros(const Storage& storage, int fd, std::uint64_t from, std::uint64_t bytes) {
  const std::vector<char> zeros(std::min<std::uint64_t>(bytes, kZeroBlock));
  while (bytes > 0) {
    const std::size_t part = std::min<std::uint64_t>(bytes, zeros.size());
    if (const int error = storage.write(fd, {zeros.data(), part}, from)) return error;
    from += part;
    bytes -= part;
  }
  return 0;
}

}  // namespace

int Storage::allocate(int fd, std::uint64_t bytes) const {
  const auto size = static_cast<off_t>(bytes);
  if (::fallocate(fd, 0, 0, size) == 0) return 0;
  if (errno != EOPNOTSUPP) return errno;
  return ::ftruncate(fd, size) == 0 ? 0 : errno;
}

int Storage::zero(int fd, std::uint64_t from, std::uint64_t bytes) const {
  if (::fallocate(fd, FALLOC_FL_ZERO_RANGE, static_cast<off_t>(from),
                  static_cast<off_t>(bytes)) == 0)
    return 0;
  if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  return write_zeros(*this, fd, from, bytes);
}

int Storage::write(int fd, std::span<const char> bytes, std::uint64_t offset) const {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno;
    if (done == 0) return EIO;
    bytes = bytes.subspan(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return 0;
}

int Storage::sync_data(int fd) const { return ::fdatasync(fd) == 0 ? 0 : errno; }

int Storage::sync_folder(const std::filesystem::path& folder) const {
  const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return handle && ::fsync(handle.get()) == 0 ? 0 : errno;
}

bool Storage::maps(const std::filesystem::path& directory) const {
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) != 0) return false;
  const auto type = static_cast<std::uint32_t>(status.f_type);
  // An overlay's upper layer is not visible here; container hosts put it on ext4 or xfs.
  return type == EXT4_SUPER_MAGIC || type == kXfsMagic || type == TMPFS_MAGIC ||
         type == OVERLAYFS_SUPER_MAGIC;
}

const Storage& Storage::system() {
  static const Storage storage;
  return storage;
}

}  // namespace segue::recorder
