#pragma once

// The journal on disk, for its writer and its reader alike; docs/journal-format.md says the same
// in words. Little-endian, 8-byte aligned.

#include <array>
#include <cstddef>
#include <cstdint>

namespace segue::recorder {

enum class FrameKind : std::uint8_t { intent = 1, exchange = 2, finish = 3 };

struct FrameHeader {
  std::uint32_t length;         // of the payload in bytes; stored last (release); 0: the end
  std::uint32_t crc;            // crc32c over kind..commit_ns and payload, seeded by run and segment
  FrameKind kind;
  std::uint8_t flags;
  std::uint16_t reserved;
  std::uint32_t reserved2;
  std::uint64_t lane_sequence;  // from 1, without gaps, over all segments of a lane
  std::int64_t commit_ns;       // CLOCK_MONOTONIC when the frame was committed
};
static_assert(sizeof(FrameHeader) == 32);

}  // namespace segue::recorder
