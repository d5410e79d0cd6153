#include "warehouse/upkeep/object_hash.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {
namespace {

constexpr std::uint64_t kPiece = 8 << 20;  // bytes that are read at once

}  // namespace

std::string sha256_of_object(ObjectStore& store, const std::string& key) {
  const auto bytes = store.size(key);
  if (!bytes) throw StorageError(fmt::format("{}: {} is gone", store.name(), key));
  Sha256 hash;
  for (std::uint64_t at = 0; at < *bytes; at += kPiece)
    hash.add(store.read(key, at, std::min(kPiece, *bytes - at)));
  return hash.text();
}

}  // namespace segue::warehouse
