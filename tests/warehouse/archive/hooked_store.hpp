#pragma once

#include <functional>
#include <utility>
#include <string>
#include <string_view>

#include "warehouse/storage/folder_store.hpp"

namespace segue::test {

// A folder store with a place to do something, or to fail, before each object is made.
class HookedStore : public warehouse::FolderStore {
 public:
  using FolderStore::FolderStore;

  warehouse::Creation create(std::string_view key, std::string_view content) override {
    before(key);
    return FolderStore::create(key, content);
  }
  warehouse::Creation create_from(std::string_view key,
                                  const std::filesystem::path& file) override {
    before(key);
    return FolderStore::create_from(key, file);
  }
  void replace(std::string_view key, std::string_view content) override {
    before(key);
    FolderStore::replace(key, content);
  }

  std::function<void(std::string_view key)> before_making;

 private:
  // What the hook does may come here, too, without a hook.
  void before(std::string_view key) {
    if (!before_making) return;
    const auto hook = std::exchange(before_making, nullptr);
    hook(key);
    if (!before_making) before_making = hook;
  }
};

}  // namespace segue::test
