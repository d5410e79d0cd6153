#include "tests/recorder/journal_power_cut.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "recorder/journal/format.hpp"
#include "tests/support/patience.hpp"

namespace segue::recorder::test {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPage = 4096;

std::string bytes_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) segue::test::fail_with_errno("looking at a segment");
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::pread(fd, bytes.data() + filled, bytes.size() - filled,
                                static_cast<off_t>(filled));
    if (got < 0) segue::test::fail_with_errno("reading a segment");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

void belong_to_another_boot(std::string& segment) {
  SegmentHeader header{};
  if (segment.size() < sizeof header) return;
  std::memcpy(&header, segment.data(), sizeof header);
  if (header_fault(header) != nullptr) return;
  header.boot_id[0] = static_cast<std::uint8_t>(header.boot_id[0] ^ 0xFF);
  finish_header(header);
  std::memcpy(segment.data(), &header, sizeof header);
}

}  // namespace

void PowerCutDisk::hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void PowerCutDisk::release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  changed_.notify_all();
}

void PowerCutDisk::pass_gate() const {
  std::unique_lock lock(mutex_);
  ++waiting_;
  changed_.notify_all();
  changed_.wait(lock, [&] { return !held_; });
  --waiting_;
}

bool PowerCutDisk::wait_for_held_sync() const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, segue::test::kPatience, [&] { return held_ && waiting_ > 0; });
}

PowerCutDisk::File& PowerCutDisk::file_of(int fd) const {
  struct stat status {};
  if (::fstat(fd, &status) != 0) segue::test::fail_with_errno("looking at a segment");
  File& file = files_[status.st_ino];
  if (!file.handle) file.handle = FileHandle(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  return file;
}

int PowerCutDisk::sync_data(int fd) const {
  pass_gate();
  if (failing) return EIO;
  const std::lock_guard lock(mutex_);
  File& file = file_of(fd);
  file.synced = bytes_of(fd);
  file.was_synced = true;
  return 0;
}

int PowerCutDisk::sync_folder(const fs::path& folder) const {
  const std::lock_guard lock(mutex_);
  auto& names = names_[folder];
  names.clear();
  for (const auto& item : fs::directory_iterator(folder)) {
    Entry entry;
    entry.folder = item.is_directory();
    if (!entry.folder) {
      const FileHandle handle(::open(item.path().c_str(), O_RDONLY | O_CLOEXEC));
      if (!handle) continue;  // recycled at this moment
      struct stat status {};
      ::fstat(handle.get(), &status);
      entry.inode = status.st_ino;
      file_of(handle.get());
    }
    names.emplace(item.path().filename().string(), entry);
  }
  return 0;
}

std::string PowerCutDisk::content_after(const File& file, std::mt19937& random) const {
  const std::string now = bytes_of(file.handle.get());
  std::string content = file.synced;
  // A file that was never synced may have its size already, or not.
  if (!file.was_synced) content.resize(random() % 2 == 0 ? 0 : now.size(), '\0');
  for (std::size_t at = 0; at < content.size(); at += kPage) {
    if (random() % 2 == 0) continue;
    const std::size_t bytes = std::min(kPage, content.size() - at);
    if (at + bytes <= now.size()) std::memcpy(content.data() + at, now.data() + at, bytes);
  }
  return content;
}

void PowerCutDisk::copy_folder(const fs::path& from, const fs::path& to,
                               std::mt19937& random) const {
  fs::create_directories(to);
  const auto known = names_.find(from);
  if (known == names_.end()) return;
  for (const auto& [name, entry] : known->second) {
    if (entry.folder) {
      copy_folder(from / name, to / name, random);
      continue;
    }
    std::string content = content_after(files_.at(entry.inode), random);
    belong_to_another_boot(content);
    std::ofstream(to / name, std::ios::binary) << content;
  }
}

void PowerCutDisk::cut(const fs::path& journal, const fs::path& copy,
                       std::mt19937& random) const {
  const std::lock_guard lock(mutex_);
  copy_folder(journal, copy, random);
  for (const auto& run : fs::directory_iterator(journal)) {
    const fs::path there = copy / run.path().filename();
    if (!fs::exists(there / "cursors")) continue;
    for (const auto& cursor : fs::directory_iterator(run.path() / "cursors"))
      if (random() % 2 == 0) fs::copy_file(cursor.path(), there / "cursors" / cursor.path().filename());
  }
}

}  // namespace segue::recorder::test
