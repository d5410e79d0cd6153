#include "tests/support/temp_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

#include "tests/support/descriptor.hpp"
#include "tests/support/patience.hpp"

namespace segue::test {
namespace {

// Without root, a namespace of our own needs to know who we are there: the same.
void keep_own_ids(uid_t user, gid_t group) {
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/uid_map") << fmt::format("{0} {0} 1", user);
  std::ofstream("/proc/self/gid_map") << fmt::format("{0} {0} 1", group);
}

bool enter_mount_namespace() {
  const auto user = ::getuid();
  const auto group = ::getgid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    keep_own_ids(user, group);
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

// Leaves `bytes` free on the file system of `folder` by a file that takes the rest.
void fill_but(const std::filesystem::path& folder, std::uint64_t bytes) {
  struct statvfs disk{};
  if (::statvfs(folder.c_str(), &disk) != 0) fail_with_errno("statvfs " + folder.string());
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 30;
  if (free < bytes || free > kMost) {
    throw TestFailure("no small disk: mounting a tmpfs is not allowed, and /dev/shm does not fit");
  }
  const auto ballast = folder / "ballast";
  const Descriptor file(::open(ballast.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(free - bytes));
  if (error != 0) throw TestFailure("cannot fill /dev/shm: " + std::to_string(error));
}

}  // namespace

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "segue-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail_with_errno("mkdtemp " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;  // nothing can be done about it here, and the test has its verdict
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempDir::write(std::string_view name, std::string_view content) const {
  const auto path = path_ / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << content;
  if (!file.flush()) throw TestFailure("cannot write " + path.string());
  return path;
}

std::string read_whole_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw TestFailure("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

SmallDisk::SmallDisk(std::uint64_t bytes) {
  const auto options = fmt::format("size={},mode=0777", bytes);
  if (enter_mount_namespace() &&
      ::mount("tmpfs", mount_point_.path().c_str(), "tmpfs", 0, options.c_str()) == 0) {
    path_ = mount_point_.path();
    mounted_ = true;
    return;
  }
  std::string name = "/dev/shm/segue-test-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) fail_with_errno("mkdtemp " + name);
  path_ = name;
  fill_but(path_, bytes);
}

SmallDisk::~SmallDisk() {
  std::error_code ignored;
  if (mounted_) {
    ::umount2(path_.c_str(), MNT_DETACH);
  } else {
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace segue::test
