#include "warehouse/storage/whole_objects.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "runtime/sha256.hpp"
#include "warehouse/storage/sha256.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPiece = 8 << 20;

// Until `take` returns false.
void each_piece(ObjectStore& store, const std::string& key,
                const std::function<bool(const std::string&)>& take) {
  const auto version = store.version(key);
  if (!version) throw StorageError(fmt::format("{}: {} is gone", store.name(), key));
  for (std::uint64_t at = 0; at < version->bytes; at += kPiece)
    if (!take(store.read_version(key, *version, at, std::min(kPiece, version->bytes - at)))) return;
}

}  // namespace

void fetch(ObjectStore& store, const std::string& key, const fs::path& into) {
  std::ofstream file(into, std::ios::binary | std::ios::trunc);
  try {
    each_piece(store, key, [&](const std::string& piece) {
      file.write(piece.data(), static_cast<std::streamsize>(piece.size()));
      return file.good();
    });
    file.close();
    if (!file)
      throw StorageError(
          fmt::format("{}: cannot write the file: is the disk full?", into.string()));
  } catch (const std::exception&) {
    std::error_code ignored;
    fs::remove(into, ignored);
    throw;
  }
}

std::string sha256_of_object(ObjectStore& store, const std::string& key) {
  runtime::Sha256 hash;
  each_piece(store, key, [&](const std::string& piece) {
    hash.add(piece);
    return true;
  });
  return sha256_text(hash.end());
}

}  // namespace segue::warehouse
