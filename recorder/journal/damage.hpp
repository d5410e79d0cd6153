#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace segue::recorder {

// Something that could not be read: never an end, always counted and told.
struct Damage {
  std::filesystem::path segment;
  std::uint64_t offset = 0;  // bytes into the segment
  std::uint64_t lost = 0;    // frames known to be missing; 0: unknown
  std::string what;          // "frame overwritten while it was read", "crc differs", ...
};

}  // namespace segue::recorder
