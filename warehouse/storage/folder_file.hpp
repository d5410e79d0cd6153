#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "runtime/owned_descriptor.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// A file of an archive's folder, as it was when it was opened, whatever replaces it since. Any
// thread, several at a time. Failures are StorageError.
class FolderFile {
 public:
  // nullopt: there is none, or what is there is no regular file.
  static std::optional<FolderFile> open(const std::filesystem::path& path);
  // Throws then.
  static FolderFile existing(const std::filesystem::path& path);

  // Its tag tells apart what lay under this path at different times.
  const ObjectVersion& version() const noexcept { return version_; }
  // Fills `into` from `offset` on; throws when the file ends before.
  void read(std::uint64_t offset, std::span<char> into) const;
  std::string read(std::uint64_t offset, std::uint64_t bytes) const;

 private:
  FolderFile(std::filesystem::path path, runtime::OwnedDescriptor file, ObjectVersion version);

  std::filesystem::path path_;
  runtime::OwnedDescriptor file_;
  ObjectVersion version_;
};

}  // namespace segue::warehouse
