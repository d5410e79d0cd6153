#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "warehouse/storage/location.hpp"

namespace segue::warehouse {

// What exchanges are archived from.
enum class ArchiveFrom : std::uint8_t { journal, kafka };

inline constexpr const char* kManifestTopic = "segue.archive.manifest";
// In the place of a topic: nobody is told.
inline constexpr const char* kNoManifest = "none";

// The block `archive:` of the configuration.
struct ArchiveSettings {
  ArchiveFrom from = ArchiveFrom::journal;
  ArchiveLocation to{.folder = "./data/archive", .bucket = {}, .prefix = {}};
  S3Settings s3;
  // A claim is made of so many rows, or of what there is so long after the last one.
  std::uint64_t flush_rows = 131'072;
  std::chrono::milliseconds flush_every{10'000};
  std::string manifest = kManifestTopic;  // told of each file that is made of a topic
};

}  // namespace segue::warehouse
