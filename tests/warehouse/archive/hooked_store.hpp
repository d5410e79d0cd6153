#pragma once

#include <functional>
#include <utility>
#include <string>
#include <string_view>

#include "warehouse/storage/folder_store.hpp"

namespace segue::test {

// A folder store with a place to do something, or to fail, before each object is made, and before
// each is read (by several threads at a time); and with objects that listings do not show.
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
  void replace_from(std::string_view key, const std::filesystem::path& file) override {
    if (before_replacing_from) before_replacing_from(key);
    FolderStore::replace_from(key, file);
  }

  using FolderStore::read;
  std::optional<std::string> read(std::string_view key) override {
    if (before_reading) before_reading(key);
    return FolderStore::read(key);
  }
  void list(std::string_view prefix, std::string_view after,
            const std::function<void(const warehouse::StoredObject&)>& take) override {
    FolderStore::list(prefix, after, [&](const warehouse::StoredObject& object) {
      if (!hidden || !hidden(object.key)) take(object);
    });
  }

  std::function<void(std::string_view key)> before_making;
  std::function<void(std::string_view key)> before_replacing_from;
  std::function<void(std::string_view key)> before_reading;
  std::function<bool(std::string_view key)> hidden;

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
