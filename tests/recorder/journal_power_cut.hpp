#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>

#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/storage.hpp"

namespace segue::recorder::test {

// A disk of which it is known what a power cut leaves: of every file and folder what they were when
// they were synced last. Syncs can be held up and can fail. Any thread.
class PowerCutDisk final : public Storage {
 public:
  int sync_data(int fd) const override;
  int sync_folder(const std::filesystem::path& folder) const override;
  bool maps(const std::filesystem::path& directory) const override {
    return mappable && Storage::maps(directory);
  }

  // From here on syncs wait until release().
  void hold();
  void release();
  // Until a sync waits; false: none came in time.
  bool wait_for_held_sync() const;

  // Makes of `journal` what is found in `copy` after a power cut now: names as of the last sync of
  // their folder; each page of a file, by the draw of `random`, as of its last sync or as it is now.
  // Cursors are there or not. The frames belong to a boot that is over.
  void cut(const std::filesystem::path& journal, const std::filesystem::path& copy,
           std::mt19937& random) const;

  bool mappable = true;
  std::atomic<bool> failing{false};

 private:
  using Inode = std::uint64_t;
  struct Entry {
    bool folder = false;
    Inode inode = 0;
  };
  struct File {
    FileHandle handle;  // keeps it readable when it has no name any more
    std::string synced;
    bool was_synced = false;
  };

  void pass_gate() const;
  File& file_of(int fd) const;
  void copy_folder(const std::filesystem::path& from, const std::filesystem::path& to,
                   std::mt19937& random) const;
  std::string content_after(const File& file, std::mt19937& random) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable bool held_ = false;
  mutable unsigned waiting_ = 0;
  mutable std::map<Inode, File> files_;
  mutable std::map<std::filesystem::path, std::map<std::string, Entry>> names_;
};

}  // namespace segue::recorder::test
