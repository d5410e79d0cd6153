#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/id.hpp"
#include "recorder/journal/format.hpp"
#include "recorder/journal/run_folder.hpp"

namespace segue::recorder {

// The id of the exchange in a frame: every payload begins with field 1, the 16 raw bytes of the
// id (0A 10 ...), so that an intent finds its exchange without being parsed.
std::optional<ExchangeId> payload_id(std::string_view payload) noexcept;

// The intents of one lane that have no exchange yet, fed with its frames in order.
//
// A lane appends its open intents again at the start of each segment. So once a frame that is not
// carried over is met in a segment, what was not carried over is closed, even when the frame that
// closed it was lost. Only where a power cut may have taken that frame is it still shown as open:
// otherwise nothing would tell of an exchange whose intent was on the disk.
class OpenIntents {
 public:
  // What took the frames that are missing before a segment.
  enum class Loss : std::uint8_t { recycling, power_cut };

  void begin_segment(Loss loss);
  void observe(const FrameHeader& header, std::string_view payload);
  // Those still open, by id; empties this.
  std::map<ExchangeId, std::string> take();

 private:
  std::map<ExchangeId, std::string> current_;
  std::map<ExchangeId, std::string> former_;  // of the segment before, not yet carried over
  std::map<ExchangeId, std::string> orphans_;  // closed by frames that a power cut took
  std::uint64_t last_sequence_ = 0;
  Loss loss_ = Loss::recycling;
  bool gap_ = false;  // before this segment
};

// What can have taken frames of a run of this boot: of one that is over only a power cut, or a
// crash of the kernel, for nobody writes it any more.
OpenIntents::Loss loss_in(const BootId& boot);

}  // namespace segue::recorder
