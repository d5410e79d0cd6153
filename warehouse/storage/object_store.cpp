#include "warehouse/storage/object_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

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

std::optional<ObjectEnd> ObjectStore::read_end(std::string_view key, std::uint64_t bytes) {
  auto found = version(key);
  if (!found) return std::nullopt;
  bytes = std::min(bytes, found->bytes);
  auto content = read_version(key, *found, found->bytes - bytes, bytes);
  return ObjectEnd{.version = std::move(*found), .content = std::move(content)};
}

std::optional<std::filesystem::path> ObjectStore::file_of(std::string_view) const {
  return std::nullopt;
}

StorageError replaced_while_read(const ObjectStore& store, std::string_view key) {
  return StorageError(
      fmt::format("{}: '{}' was replaced while it was read: try again", store.name(), key));
}

}  // namespace segue::warehouse
