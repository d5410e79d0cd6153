#include "warehouse/archive/staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;
using runtime::OwnedDescriptor;

constexpr std::string_view kPrefix = "segue-staging-";
constexpr const char* kAlive = "alive.lock";
constexpr const char* kDoor = ".segue-staging.lock";  // whoever makes or removes folders holds it

[[noreturn]] void fail(const fs::path& path, std::string_view doing, int number) {
  throw StorageError(fmt::format("{}: cannot {}: {}; name another folder with --staging",
                                 path.string(), doing, std::generic_category().message(number)));
}

OwnedDescriptor open_lock(const fs::path& path) {
  OwnedDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) fail(path, "make the file", errno);
  return file;
}

void lock(const OwnedDescriptor& file, const fs::path& path) {
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) fail(path, "lock the file", errno);
}

// Files of exchanges lie here, and the usual place is one in which everybody may make folders: who
// was there first is not to read them, nor to lead them elsewhere. What is root's is the
// administrator's choice (a volume of a container).
void check_whose(const fs::path& shared) {
  // With a slash at its end a link would be followed.
  const fs::path itself = shared.has_filename() ? shared : shared.parent_path();
  struct stat found {};
  if (::lstat(itself.c_str(), &found) != 0) fail(shared, "look at the folder", errno);
  const auto refuse = [&](const std::string& why) {
    throw StorageError(
        fmt::format("{}: {}; name another folder with --staging", shared.string(), why));
  };
  if (!S_ISDIR(found.st_mode)) refuse("it is a symbolic link, or no folder at all");
  if (found.st_uid != ::geteuid() && found.st_uid != 0)
    refuse(fmt::format("it is a folder of another user, whose id is {}", found.st_uid));
}

void make_shared(const fs::path& shared) {
  std::error_code error;  // it is met again by mkdir
  if (shared.has_parent_path()) fs::create_directories(shared.parent_path(), error);
  if (::mkdir(shared.c_str(), 0700) != 0 && errno != EEXIST) fail(shared, "make the folder", errno);
  check_whose(shared);
}

fs::path make_own(const fs::path& shared) {
  std::string path = (shared / fmt::format("{}XXXXXX", kPrefix)).string();
  if (::mkdtemp(path.data()) == nullptr) fail(shared, "make a folder in it", errno);
  return path;
}

bool is_ours(const fs::path& folder) {
  struct stat found {};
  return ::lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) &&
         found.st_uid == ::geteuid();
}

// Its owner is dead: nobody holds the lock.
bool is_left(const fs::path& folder) {
  const OwnedDescriptor file(::open((folder / kAlive).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (file.get() < 0) return errno == ENOENT;
  return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

void remove_left(const fs::path& shared) {
  std::error_code error;
  for (fs::directory_iterator at(shared, error), end; !error && at != end; at.increment(error)) {
    const fs::path folder = at->path();
    std::error_code ignored;  // the next one tries again
    if (folder.filename().string().starts_with(kPrefix) && is_ours(folder) && is_left(folder))
      fs::remove_all(folder, ignored);
  }
}

}  // namespace

Staging::Staging(const fs::path& shared) {
  make_shared(shared);
  const OwnedDescriptor door = open_lock(shared / kDoor);
  lock(door, shared / kDoor);
  remove_left(shared);
  folder_ = make_own(shared);
  alive_ = open_lock(folder_ / kAlive);
  lock(alive_, folder_ / kAlive);
}

Staging::~Staging() {
  std::error_code ignored;  // the next one removes it
  fs::remove_all(folder_, ignored);
}

}  // namespace segue::warehouse
