#pragma once

#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// A folder of this machine, or of a file system that several mount and that keeps link(2) and
// rename(2) atomic. Creating is link(2) of a synced temporary file, then a sync of the folder.
// Nobody but the user may read what is made, and the group as far as the root's mode lets it.
class FolderStore : public ObjectStore {
 public:
  // The folder is made when something is created in it.
  explicit FolderStore(std::filesystem::path root);

  const std::string& name() const override { return name_; }
  void list(std::string_view prefix, std::string_view after,
            const std::function<void(const StoredObject&)>& take) override;
  std::vector<std::string> folders(std::string_view prefix) override;
  std::optional<std::uint64_t> size(std::string_view key) override;
  std::optional<std::string> read(std::string_view key) override;
  std::string read(std::string_view key, std::uint64_t offset, std::uint64_t bytes) override;
  std::optional<ObjectVersion> version(std::string_view key) override;
  std::string read_version(std::string_view key, const ObjectVersion& version, std::uint64_t offset,
                           std::uint64_t bytes) override;
  std::optional<std::filesystem::path> file_of(std::string_view key) const override {
    return path_of(key);
  }
  Creation create(std::string_view key, std::string_view content) override;
  Creation create_from(std::string_view key, const std::filesystem::path& file) override;
  void replace(std::string_view key, std::string_view content) override;
  void replace_from(std::string_view key, const std::filesystem::path& file) override;
  void remove(std::string_view key) override;
  std::uint64_t count_leftovers() override;
  std::uint64_t remove_leftovers() override;

  // Where an object lies, for who reads files better than objects.
  std::filesystem::path path_of(std::string_view key) const;

 private:
  std::filesystem::path root_;
  std::string name_;
};

}  // namespace segue::warehouse
