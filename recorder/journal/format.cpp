#include "recorder/journal/format.hpp"

#include <cstring>

#include "recorder/journal/crc32c.hpp"

namespace segue::recorder {
namespace {

std::uint32_t header_crc(const SegmentHeader& header) noexcept {
  return crc32c(0, &header, offsetof(SegmentHeader, crc));
}

}  // namespace

std::uint32_t segment_seed(const SegmentHeader& header) noexcept {
  std::uint32_t seed = crc32c(0, header.run.data(), header.run.size());
  seed = crc32c(seed, &header.lane, sizeof header.lane);
  return crc32c(seed, &header.sequence, sizeof header.sequence);
}

void finish_header(SegmentHeader& header) noexcept {
  header.magic = kSegmentMagic;
  header.format_version = kFormatVersion;
  header.header_bytes = sizeof(SegmentHeader);
  header.crc = header_crc(header);
}

const char* header_fault(const SegmentHeader& header) noexcept {
  if (header.magic != kSegmentMagic) return "no journal segment (magic differs)";
  if (header.format_version != kFormatVersion) return "format version is not known";
  if (header.crc != header_crc(header)) return "crc of the segment header differs";
  if (header.header_bytes != sizeof(SegmentHeader)) return "segment header has another size";
  return nullptr;
}

}  // namespace segue::recorder
