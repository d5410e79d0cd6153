#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

std::optional<ObjectVersion> ObjectStore::version(std::string_view key) {
  const auto bytes = size(key);
  if (!bytes) return std::nullopt;
  return ObjectVersion{.bytes = *bytes, .tag = {}};
}

std::string ObjectStore::read_version(std::string_view key, const ObjectVersion&,
                                      std::uint64_t offset, std::uint64_t bytes) {
  return read(key, offset, bytes);
}

std::optional<std::filesystem::path> ObjectStore::file_of(std::string_view) const {
  return std::nullopt;
}

}  // namespace segue::warehouse
