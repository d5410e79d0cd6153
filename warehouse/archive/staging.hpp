#pragma once

#include <filesystem>

#include "runtime/owned_descriptor.hpp"

namespace segue::warehouse {

// A folder of this object's own below one that several processes may share; what processes left
// there that are dead is removed first. Gone with the scope. Throws StorageError.
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
