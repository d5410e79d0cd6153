#include "recorder/journal/open_intents.hpp"

#include <utility>

namespace segue::recorder {

std::optional<ExchangeId> payload_id(std::string_view payload) noexcept {
  constexpr std::string_view kField1 = "\x0A\x10";
  if (payload.size() < kField1.size() + ExchangeId::kBytes || !payload.starts_with(kField1))
    return std::nullopt;
  return ExchangeId::from_bytes(payload.substr(kField1.size(), ExchangeId::kBytes));
}

void OpenIntents::begin_segment() {
  former_.merge(current_);
  current_.clear();
}

void OpenIntents::observe(const FrameHeader& header, std::string_view payload) {
  const bool carried = (header.flags & kCarriedOver) != 0;
  if (!carried) former_.clear();
  const auto id = payload_id(payload);
  if (!id) return;
  if (header.kind == FrameKind::intent) {
    current_.insert_or_assign(*id, payload);
    former_.erase(*id);
  } else if (header.kind == FrameKind::exchange) {
    current_.erase(*id);
  }
}

std::map<ExchangeId, std::string> OpenIntents::take() {
  former_.merge(current_);
  current_.clear();
  return std::exchange(former_, {});
}

}  // namespace segue::recorder
