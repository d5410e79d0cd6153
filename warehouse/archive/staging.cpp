#include "warehouse/archive/staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
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
  OwnedDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (file.get() < 0) fail(path, "make the file", errno);
  return file;
}

void lock(const OwnedDescriptor& file, const fs::path& path) {
  while (::flock(file.get(), LOCK_EX) != 0)
    if (errno != EINTR) fail(path, "lock the file", errno);
}

// Its owner is dead: nobody holds the lock.
bool is_left(const fs::path& folder) {
  const OwnedDescriptor file(::open((folder / kAlive).c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) return errno == ENOENT;
  return ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

void remove_left(const fs::path& shared) {
  std::error_code error;
  for (fs::directory_iterator at(shared, error), end; !error && at != end; at.increment(error)) {
    const fs::path folder = at->path();
    std::error_code ignored;  // it may be another user's
    if (folder.filename().string().starts_with(kPrefix) && at->is_directory(ignored) &&
        is_left(folder))
      fs::remove_all(folder, ignored);
  }
}

}  // namespace

Staging::Staging(const fs::path& shared) {
  static std::atomic<unsigned> number{0};
  std::error_code error;
  fs::create_directories(shared, error);
  if (error) fail(shared, "make the folder", error.value());
  const OwnedDescriptor door = open_lock(shared / kDoor);
  lock(door, shared / kDoor);
  remove_left(shared);
  folder_ = shared / fmt::format("{}{}-{}", kPrefix, ::getpid(), ++number);
  fs::create_directory(folder_, error);
  if (error) fail(folder_, "make the folder", error.value());
  alive_ = open_lock(folder_ / kAlive);
  lock(alive_, folder_ / kAlive);
}

Staging::~Staging() {
  std::error_code ignored;  // the next one removes it
  fs::remove_all(folder_, ignored);
}

}  // namespace segue::warehouse
