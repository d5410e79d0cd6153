#pragma once

#include <filesystem>

#include "runtime/owned_descriptor.hpp"

namespace segue::warehouse {

// A folder of this object's own below one that several processes of a user may share; what processes
// left there that are dead is removed first. Nobody else can look into it. Gone with the scope.
// Throws StorageError, also where the shared one is another user's (but root's), or a symbolic link.
class Staging {
 public:
  explicit Staging(const std::filesystem::path& shared);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path folder_;
  runtime::OwnedDescriptor alive_;  // holds the lock that says that its owner lives
};

}  // namespace segue::warehouse
