#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace segue::recorder {

// The system calls behind segment files that fail when a disk is full or differ by file system.
// Every call returns 0 or an errno. Any thread. Tests derive from it to inject faults.
class Storage {
 public:
  virtual ~Storage() = default;

  // Gives the file `bytes` of reserved, zero space.
  virtual int allocate(int fd, std::uint64_t bytes) const;
  // Zeroes a range that is allocated already and keeps it allocated.
  virtual int zero(int fd, std::uint64_t from, std::uint64_t bytes) const;
  virtual int write(int fd, std::span<const char> bytes, std::uint64_t offset) const;
  // Brings the file's content to the disk, and what is needed to find it there (fdatasync).
  virtual int sync_data(int fd) const;
  // Brings the names in a folder to the disk.
  virtual int sync_folder(const std::filesystem::path& folder) const;
  // Whether allocate() reserves space for stores through a shared map on this file system: ext4,
  // xfs, tmpfs, and overlay over them. Elsewhere a full disk would be a SIGBUS.
  virtual bool maps(const std::filesystem::path& directory) const;

  static const Storage& system();
};

}  // namespace segue::recorder
