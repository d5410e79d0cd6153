#pragma once

#include <cstdint>
#include <filesystem>

namespace segue::recorder {

// What becomes of a segment's pages behind the lane. `lean`: they are written back and given away,
// and a recycled segment is zeroed; the journal needs some windows of memory a lane. `warm`: they
// stay, dirty and mapped, until the segment is written again, and the kernel writes them back by
// age; the journal needs as much memory as disk, and a small part of the CPU.
// docs/decisions/0002-warm-segments.md has the reasons.
enum class SegmentPages : std::uint8_t { automatic, lean, warm };

// What the kernel leaves to this process.
struct MemoryBounds {
  std::uint64_t bytes = 0;             // the machine's, or the tightest of its control groups
  std::uint64_t background_dirty = 0;  // dirty bytes at which writeback begins; 0: not known
};

// Read from /proc and /sys/fs/cgroup under `root`; what cannot be read counts as 0.
MemoryBounds memory_bounds(const std::filesystem::path& root = "/");

// `wish`, or what suits a journal of `max_bytes`: never `automatic`.
SegmentPages choose_pages(SegmentPages wish, std::uint64_t max_bytes, std::uint64_t segment_bytes,
                          const MemoryBounds& bounds) noexcept;

}  // namespace segue::recorder
