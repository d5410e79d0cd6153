#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace segue::test {

// A fresh folder, removed with all it holds at the end of its scope.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  // Writes a file below it; folders in `name` are made.
  std::filesystem::path write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

std::string read_whole_file(const std::filesystem::path& path);

// A disk of `bytes`: a tmpfs, mounted for this test process and its children alone. Where mounting
// is not allowed even in a namespace of our own, part of a small /dev/shm (as containers have it),
// with the rest filled up. Fails the test when there is neither. Make it before any thread.
class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  TempDir mount_point_;
  std::filesystem::path path_;
  bool mounted_ = false;
};

}  // namespace segue::test
