#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/id.hpp"
#include "recorder/journal/format.hpp"

namespace segue::recorder {

// The id of the exchange in a frame: every payload begins with field 1, the 16 raw bytes of the
// id (0A 10 ...), so that an intent finds its exchange without being parsed.
std::optional<ExchangeId> payload_id(std::string_view payload) noexcept;

// The intents of one lane that have no exchange yet, fed with its frames in order.
//
// A lane appends its open intents again at the start of each segment. So once a frame that is not
// carried over is met in a segment, what was not carried over is closed, even when the frame that
// closed it was lost.
class OpenIntents {
 public:
  void begin_segment();
  void observe(const FrameHeader& header, std::string_view payload);
  // Those still open, by id; empties this.
  std::map<ExchangeId, std::string> take();
  bool empty() const noexcept { return current_.empty() && former_.empty(); }

 private:
  std::map<ExchangeId, std::string> current_;
  std::map<ExchangeId, std::string> former_;  // of the segment before, not yet carried over
};

}  // namespace segue::recorder
