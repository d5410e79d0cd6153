#pragma once

// The journal on disk, for its writer and its reader alike; docs/journal-format.md says the same
// in words. Little-endian, 8-byte aligned.

#include <array>
#include <cstddef>
#include <cstdint>

namespace segue::recorder {

inline constexpr std::array<char, 8> kSegmentMagic = {'S', 'E', 'G', 'U', 'E', 'J', 'N', 'L'};
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kRunNameBytes = 40;

// The first bytes of every segment; frames follow it. Written, with a zero first
// length word behind it, before a lane sees the segment; never changed while it lives.
struct SegmentHeader {
  std::array<char, 8> magic;
  std::uint32_t format_version;
  std::uint32_t header_bytes;                // offset of the first frame
  std::array<std::uint8_t, 16> boot_id;      // whose CLOCK_MONOTONIC the times belong to
  std::array<char, kRunNameBytes> run;       // folder name, padded with NUL
  std::uint32_t lane;
  std::uint32_t reserved;
  std::uint64_t sequence;                    // increasing within a lane, holes allowed
  std::int64_t created_unix_ns;
  std::int64_t created_monotonic_ns;
  std::array<std::uint8_t, 20> reserved2;
  std::uint32_t crc;                         // crc32c of all bytes before it
};
static_assert(sizeof(SegmentHeader) == 128);

enum class FrameKind : std::uint8_t { intent = 1, exchange = 2, finish = 3 };

// FrameHeader::flags. An open intent that is carried over to the lane's next segment.
inline constexpr std::uint8_t kCarriedOver = 1;

struct FrameHeader {
  std::uint32_t length;         // of the payload in bytes; stored last (release); 0: the end
  std::uint32_t crc;            // crc32c over kind..commit_ns and payload, see frame_seed()
  FrameKind kind;
  std::uint8_t flags;
  std::uint16_t reserved;
  std::uint32_t reserved2;
  std::uint64_t lane_sequence;  // from 1, without gaps, over all segments of a lane
  std::int64_t commit_ns;       // CLOCK_MONOTONIC when the frame was committed
};
static_assert(sizeof(FrameHeader) == 32);

// Where the bytes that FrameHeader::crc covers begin.
inline constexpr std::size_t kCrcOffset = 8;
// A segment keeps room for the length word after its last frame.
inline constexpr std::size_t kEndMarkBytes = 8;

// Bytes a frame takes in a segment: header and payload, padded to 8.
constexpr std::size_t frame_bytes(std::size_t payload_bytes) noexcept {
  return sizeof(FrameHeader) + ((payload_bytes + 7) & ~std::size_t{7});
}

// What the CRC of every frame of a segment starts from: run, lane and sequence, so that a frame of
// a recycled segment's former life never validates.
std::uint32_t segment_seed(const SegmentHeader& header) noexcept;

// The start for one frame: a changed length never validates either.
constexpr std::uint32_t frame_seed(std::uint32_t seed, std::uint32_t length) noexcept {
  return seed ^ (length * 0x9E3779B1U);
}

// Fills magic, versions and crc around what the caller set.
void finish_header(SegmentHeader& header) noexcept;
// nullptr when the header is whole, else what is wrong with it.
const char* header_fault(const SegmentHeader& header) noexcept;

}  // namespace segue::recorder
