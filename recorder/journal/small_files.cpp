#include "recorder/journal/small_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "recorder/journal/storage.hpp"

namespace segue::recorder {

namespace fs = std::filesystem;

Result<void> replace_file(const fs::path& path, std::string_view text, Sync sync) {
  const fs::path making = path.parent_path() / (".new-" + path.filename().string());
  FileHandle file(::open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return storage_error(errno, "making a file of the journal anew");
  if (const int error = Storage::system().write(file.get(), text, 0))
    return storage_error(error, "writing a file of the journal anew");
  if (sync == Sync::yes && ::fsync(file.get()) != 0)
    return storage_error(errno, "syncing a file of the journal");
  if (::rename(making.c_str(), path.c_str()) != 0)
    return storage_error(errno, "replacing a file of the journal");
  if (sync == Sync::no) return {};
  if (const int error = Storage::system().sync_folder(path.parent_path()))
    return storage_error(error, "syncing a folder of the journal");
  return {};
}

Result<FileHandle> lock_folder(const fs::path& folder, const char* doing) {
  FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) return storage_error(errno, doing);
  while (::flock(handle.get(), LOCK_EX) != 0)
    if (errno != EINTR) return storage_error(errno, doing);
  return handle;
}

}  // namespace segue::recorder
