// Any bytes as a segment: the scanner ends, stays within them, and what recovery would do with
// the frames holds together. The first byte says how much is made right first, so that bytes
// get past the checksums: 0 nothing, 1 the segment header, else also every frame's CRC.

#include <cstdint>
#include <cstring>
#include <string>

#include "exchange/ensure.hpp"
#include "recorder/journal/crc32c.hpp"
#include "recorder/journal/open_intents.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace {

using namespace segue::recorder;

void make_header_right(std::string& bytes) {
  if (bytes.size() < sizeof(SegmentHeader)) bytes.resize(sizeof(SegmentHeader));
  SegmentHeader header{};
  std::memcpy(&header, bytes.data(), sizeof header);
  finish_header(header);
  std::memcpy(bytes.data(), &header, sizeof header);
}

void make_frames_right(std::string& bytes) {
  SegmentHeader segment{};
  std::memcpy(&segment, bytes.data(), sizeof segment);
  const std::uint32_t seed = segment_seed(segment);
  for (std::size_t at = sizeof segment; at + sizeof(FrameHeader) <= bytes.size();) {
    FrameHeader header{};
    std::memcpy(&header, bytes.data() + at, sizeof header);
    if (header.length == 0 || header.length > bytes.size() - at - sizeof header) return;
    header.crc = crc32c(frame_seed(seed, header.length), bytes.data() + at + kCrcOffset,
                        sizeof header - kCrcOffset + header.length);
    std::memcpy(bytes.data() + at, &header, sizeof header);
    at += frame_bytes(header.length);
  }
}

void scan(const std::string& bytes) {
  const MemorySource source(bytes);
  const auto header = read_header(source);
  if (!header) return;
  if (header_fault(*header) != nullptr) return;
  OpenIntents open;
  open.begin_segment(loss_in(header->boot_id));
  SegmentScanner scanner(source, *header);
  std::uint64_t last = 0;
  std::uint64_t end = sizeof(SegmentHeader);
  auto step = scanner.next();
  for (; step.outcome == SegmentScanner::Outcome::frame; step = scanner.next()) {
    segue::ensure(step.offset == end, "frames follow each other");
    end = step.offset + frame_bytes(step.payload.size());
    segue::ensure(step.offset + sizeof(FrameHeader) + step.payload.size() <= bytes.size(),
                  "a frame lies within its segment");
    last = step.header.lane_sequence;
    open.observe(step.header, step.payload);
  }
  segue::ensure(scanner.next().outcome == step.outcome, "asking again changes nothing");
  static_cast<void>(scanner.resume_after(last));
  for (const auto& [id, payload] : open.take())
    segue::ensure(payload_id(payload) == id, "an open intent is kept under its id");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] >= 1) make_header_right(bytes);
  if (data[0] >= 2) make_frames_right(bytes);
  scan(bytes);
  return 0;
}
