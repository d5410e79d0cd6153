#include "warehouse/storage/folder_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "warehouse/storage/disk_error.hpp"

namespace segue::warehouse {
namespace {

// Number and times of what was renamed or linked to a path are those of a file of its own.
ObjectVersion version_of(const struct stat& file) {
  const auto nanoseconds = [](const timespec& at) {
    return static_cast<std::int64_t>(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
  };
  return {.bytes = static_cast<std::uint64_t>(file.st_size),
          .tag = fmt::format("{}-{}-{}-{}", file.st_dev, file.st_ino, nanoseconds(file.st_mtim),
                             file.st_size)};
}

}  // namespace

FolderFile::FolderFile(std::filesystem::path path, runtime::OwnedDescriptor file,
                       ObjectVersion version)
    : path_(std::move(path)), file_(std::move(file)), version_(std::move(version)) {}

std::optional<FolderFile> FolderFile::open(const std::filesystem::path& path) {
  // A pipe does not hold up who opens it so.
  runtime::OwnedDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    if (errno != ENOENT && errno != ENOTDIR) throw disk_error(path, "open the file", errno);
    return std::nullopt;
  }
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) throw disk_error(path, "look at the file", errno);
  if (!S_ISREG(found.st_mode)) return std::nullopt;
  return FolderFile(path, std::move(file), version_of(found));
}

FolderFile FolderFile::existing(const std::filesystem::path& path) {
  auto file = open(path);
  if (!file) throw disk_error(path, "open the file", ENOENT);
  return std::move(*file);
}

void FolderFile::read(std::uint64_t offset, std::span<char> into) const {
  const std::uint64_t end = offset + into.size();
  while (!into.empty()) {
    const ssize_t got = ::pread(file_.get(), into.data(), into.size(),
                                static_cast<off_t>(end - into.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw disk_error(path_, "read", errno);
    if (got == 0)
      throw StorageError(fmt::format("{}: it ends at byte {}, before byte {}", path_.string(),
                                     end - into.size(), end));
    into = into.subspan(static_cast<std::size_t>(got));
  }
}

std::string FolderFile::read(std::uint64_t offset, std::uint64_t bytes) const {
  std::string content(bytes, '\0');
  read(offset, content);
  return content;
}

}  // namespace segue::warehouse
