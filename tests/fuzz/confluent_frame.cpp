// Any value of any record: the frame's decoder must not read past it, and what it calls a frame
// must lie within.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kafka/confluent_frame.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto frame = segue::kafka::decode_confluent_frame(value);
  if (!frame) return 0;
  const bool within = frame->payload.data() + frame->payload.size() == value.data() + value.size();
  const bool bounded = frame->depth >= 1 && frame->depth <= segue::kafka::ConfluentFrame::kMaxDepth;
  if (!within || !bounded || frame->payload.size() + 6 > size) std::abort();
  return 0;
}
