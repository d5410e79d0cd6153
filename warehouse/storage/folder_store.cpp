#include "warehouse/storage/folder_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <system_error>

#include "runtime/owned_descriptor.hpp"
#include "warehouse/storage/disk_error.hpp"
#include "warehouse/storage/folder_file.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;
using runtime::OwnedDescriptor;

// Files that are not objects yet begin with it; a crash may leave some.
constexpr std::string_view kTemporary = ".tmp-";
// Not *.parquet: engines that read whole folders take that for a file of the archive.
constexpr std::string_view kNotWhole = ".part";

void sync_folder(const fs::path& folder) {
  const OwnedDescriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0)
    throw disk_error(folder, "sync the folder", errno);
}

// What the archive's folder lets its group do is let done with all in it; others may do nothing.
struct Modes {
  mode_t folder = 0700;
  mode_t file = 0600;
};

Modes modes_below(const fs::path& root) {
  struct stat found {};
  if (::stat(root.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return {};
  return {.folder = 0700 | (found.st_mode & (S_ISGID | S_IRWXG)),
          .file = 0600 | (found.st_mode & (S_IRGRP | S_IWGRP))};
}

// Folders that are made are on the disk, too.
void make_folders(const fs::path& folder, mode_t mode) {
  std::error_code error;  // it is met again below
  if (folder.empty() || fs::is_directory(folder, error)) return;
  make_folders(folder.parent_path(), mode);
  if (::mkdir(folder.c_str(), mode) == 0) {
    // The umask took some away. A file system that keeps no modes has its own.
    if (mode != Modes{}.folder) static_cast<void>(::chmod(folder.c_str(), mode));
  } else if (errno != EEXIST) {
    throw disk_error(folder, "make the folder", errno);
  }
  sync_folder(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
}

// Two machines that share a folder may have processes of the same number.
std::string temporary_name() {
  std::random_device random;
  return fmt::format("{}{:08x}{:08x}{}", kTemporary, random(), random(), kNotWhole);
}

// A synced file beside where it is to go; gone with the scope.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& root, const fs::path& target) {
    const Modes modes = modes_below(root);
    make_folders(target.parent_path(), modes.folder);
    path_ = target.parent_path() / temporary_name();
    file_ = OwnedDescriptor(
        ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, modes.file));
    if (file_.get() < 0) throw disk_error(path_, "make the file", errno);
    if (modes.file != Modes{}.file) static_cast<void>(::fchmod(file_.get(), modes.file));
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::string_view content) {
    while (!content.empty()) {
      const ssize_t written = ::write(file_.get(), content.data(), content.size());
      if (written < 0 && errno != EINTR) throw disk_error(path_, "write", errno);
      if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
    }
    sync();
  }

  void copy(const fs::path& from) {
    const OwnedDescriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    if (source.get() < 0) throw disk_error(from, "open the file", errno);
    for (;;) {
      const ssize_t sent = ::sendfile(file_.get(), source.get(), nullptr, std::size_t{1} << 30);
      if (sent == 0) break;
      if (sent < 0 && errno != EINTR) throw disk_error(path_, "write", errno);
    }
    sync();
  }

  const fs::path& path() const noexcept { return path_; }

 private:
  void sync() {
    if (::fsync(file_.get()) != 0) throw disk_error(path_, "sync", errno);
  }

  fs::path path_;
  OwnedDescriptor file_;
};

Creation link_into_place(const fs::path& from, const fs::path& to) {
  const bool made = ::link(from.c_str(), to.c_str()) == 0;
  if (!made && errno != EEXIST) throw disk_error(to, "make the file", errno);
  // Whoever made it may not have come to sync it yet.
  sync_folder(to.parent_path());
  return made ? Creation::created : Creation::existed;
}

void move_into_place(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw disk_error(to, "replace the file", errno);
  sync_folder(to.parent_path());
}

bool is_temporary(const fs::path& path) {
  return path.filename().string().starts_with(kTemporary);
}

struct Entry {
  fs::directory_entry at;
  bool is_folder = false;
  std::string name;  // of a folder with the slash behind it
};

// The entries of a folder by the octets of the keys that they lead to. One that is not there has
// none.
std::vector<Entry> entries_of(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (is_temporary(at->path())) continue;
    Entry entry{.at = *at, .is_folder = false, .name = at->path().filename().string()};
    std::error_code unseen;
    entry.is_folder = entry.at.is_directory(unseen);
    if (unseen && unseen != std::errc::no_such_file_or_directory)
      throw disk_error(entry.at.path(), "look at the file", unseen.value());
    if (entry.is_folder) entry.name += '/';
    entries.push_back(std::move(entry));
  }
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory)
    throw disk_error(folder, "list the folder", error.value());
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

void list_folder(const fs::path& folder, const std::string& base, std::string_view prefix,
                 std::string_view after, const std::function<void(const StoredObject&)>& take) {
  for (const Entry& entry : entries_of(folder)) {
    std::string key = base + entry.name;
    if (entry.is_folder) {
      const bool may_hold = key.starts_with(prefix) || prefix.starts_with(key);
      const bool all_before = key < after && !after.starts_with(key);
      if (may_hold && !all_before) list_folder(entry.at.path(), key, prefix, after, take);
      continue;
    }
    if (!key.starts_with(prefix) || key <= after) continue;
    std::error_code gone;
    const std::uint64_t bytes = entry.at.file_size(gone);
    if (!gone) take({std::move(key), bytes});
  }
}

// Temporary files whose writers are dead. Who removes them may have company: what is gone is passed
// over.
std::vector<fs::path> leftovers_in(const fs::path& root) {
  const auto old = fs::file_time_type::clock::now() - kLeftAfter;
  std::vector<fs::path> found;
  std::error_code error;
  fs::recursive_directory_iterator at(root, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    if (!is_temporary(at->path()) || at->path().extension() != kNotWhole) continue;
    std::error_code gone;
    const auto written = at->last_write_time(gone);
    if (!gone && written < old && at->is_regular_file(gone)) found.push_back(at->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw disk_error(root, "look for what dead writers left", error.value());
  return found;
}

}  // namespace

FolderStore::FolderStore(fs::path root)
    : root_(std::move(root)), name_(fmt::format("archive:{}", root_.string())) {}

fs::path FolderStore::path_of(std::string_view key) const { return root_ / key; }

void FolderStore::list(std::string_view prefix, std::string_view after,
                       const std::function<void(const StoredObject&)>& take) {
  const std::string_view folder = prefix.substr(0, prefix.rfind('/') + 1);
  list_folder(root_ / folder, std::string(folder), prefix, after, take);
}

std::vector<std::string> FolderStore::folders(std::string_view prefix) {
  std::vector<std::string> names;
  for (const Entry& entry : entries_of(path_of(prefix)))
    if (entry.is_folder) names.push_back(entry.at.path().filename().string());
  return names;
}

std::optional<std::uint64_t> FolderStore::size(std::string_view key) {
  struct stat found {};
  const fs::path path = path_of(key);
  if (::stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) throw disk_error(path, "look at the file", errno);
    return std::nullopt;
  }
  if (!S_ISREG(found.st_mode)) return std::nullopt;
  return static_cast<std::uint64_t>(found.st_size);
}

// Of one file that is opened once: it may be replaced meanwhile.
std::optional<std::string> FolderStore::read(std::string_view key) {
  const auto file = FolderFile::open(path_of(key));
  if (!file) return std::nullopt;
  return file->read(0, file->version().bytes);
}

std::string FolderStore::read(std::string_view key, std::uint64_t offset, std::uint64_t bytes) {
  return FolderFile::existing(path_of(key)).read(offset, bytes);
}

std::optional<ObjectVersion> FolderStore::version(std::string_view key) {
  const auto file = FolderFile::open(path_of(key));
  if (!file) return std::nullopt;
  return file->version();
}

std::string FolderStore::read_version(std::string_view key, const ObjectVersion& version,
                                      std::uint64_t offset, std::uint64_t bytes) {
  const FolderFile file = FolderFile::existing(path_of(key));
  if (file.version().tag != version.tag) throw replaced_while_read(*this, key);
  return file.read(offset, bytes);
}

Creation FolderStore::create(std::string_view key, std::string_view content) {
  TemporaryFile file(root_, path_of(key));
  file.write(content);
  return link_into_place(file.path(), path_of(key));
}

Creation FolderStore::create_from(std::string_view key, const fs::path& from) {
  TemporaryFile file(root_, path_of(key));
  file.copy(from);
  return link_into_place(file.path(), path_of(key));
}

void FolderStore::replace(std::string_view key, std::string_view content) {
  TemporaryFile file(root_, path_of(key));
  file.write(content);
  move_into_place(file.path(), path_of(key));
}

void FolderStore::replace_from(std::string_view key, const fs::path& from) {
  TemporaryFile file(root_, path_of(key));
  file.copy(from);
  move_into_place(file.path(), path_of(key));
}

void FolderStore::remove(std::string_view key) {
  const fs::path path = path_of(key);
  if (::unlink(path.c_str()) == 0) return sync_folder(path.parent_path());
  if (errno != ENOENT && errno != ENOTDIR) throw disk_error(path, "remove the file", errno);
}

std::uint64_t FolderStore::count_leftovers() { return leftovers_in(root_).size(); }

std::uint64_t FolderStore::remove_leftovers() {
  std::uint64_t removed = 0;
  for (const fs::path& path : leftovers_in(root_)) {
    if (::unlink(path.c_str()) == 0)
      ++removed;
    else if (errno != ENOENT)
      throw disk_error(path, "remove the file", errno);
  }
  return removed;
}

}  // namespace segue::warehouse
