#include "warehouse/storage/location.hpp"

#include <fmt/format.h>

#include <utility>

#include "warehouse/storage/folder_store.hpp"
#include "warehouse/storage/s3_store.hpp"

namespace segue::warehouse {
namespace {

constexpr std::string_view kArchive = "archive:";
constexpr std::string_view kS3 = "s3://";

std::string_view without_slashes(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string ArchiveLocation::name() const {
  if (bucket.empty()) return fmt::format("{}{}", kArchive, folder.string());
  return fmt::format("{}{}{}{}{}", kArchive, kS3, bucket, prefix.empty() ? "" : "/", prefix);
}

std::optional<ArchiveLocation> parse_location(std::string_view text) {
  if (!text.starts_with(kArchive)) return std::nullopt;
  text.remove_prefix(kArchive.size());
  ArchiveLocation location;
  if (!text.starts_with(kS3)) {
    if (text.empty()) return std::nullopt;
    location.folder = text;
    return location;
  }
  text.remove_prefix(kS3.size());
  const std::size_t slash = text.find('/');
  location.bucket = text.substr(0, slash);
  if (slash != std::string_view::npos) location.prefix = without_slashes(text.substr(slash));
  if (location.bucket.empty()) return std::nullopt;
  return location;
}

std::unique_ptr<ObjectStore> open_store(const ArchiveLocation& location, const S3Settings& s3,
                                        std::function<bool()> stopping) {
  if (location.bucket.empty()) return std::make_unique<FolderStore>(location.folder);
  S3Limits limits;
  limits.stopping = std::move(stopping);
  auto store = std::make_unique<S3Store>(location, s3, std::move(limits));
  store->check();
  return store;
}

}  // namespace segue::warehouse
