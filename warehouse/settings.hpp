#pragma once

#include <chrono>
#include <cstdint>

#include "warehouse/storage/location.hpp"

namespace segue::warehouse {

// What exchanges are archived from.
enum class ArchiveFrom : std::uint8_t { journal, kafka };

// The block `archive:` of the configuration.
struct ArchiveSettings {
  ArchiveFrom from = ArchiveFrom::journal;
  ArchiveLocation to{.folder = "./data/archive", .bucket = {}, .prefix = {}};
  S3Settings s3;
  // A claim is made of so many rows, or of what there is so long after the last one.
  std::uint64_t flush_rows = 131'072;
  std::chrono::milliseconds flush_every{10'000};
};

}  // namespace segue::warehouse
