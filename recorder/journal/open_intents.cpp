#include "recorder/journal/open_intents.hpp"

#include <utility>

namespace segue::recorder {

std::optional<ExchangeId> payload_id(std::string_view payload) noexcept {
  constexpr std::string_view kField1 = "\x0A\x10";
  if (payload.size() < kField1.size() + ExchangeId::kBytes || !payload.starts_with(kField1))
    return std::nullopt;
  return ExchangeId::from_bytes(payload.substr(kField1.size(), ExchangeId::kBytes));
}

void OpenIntents::begin_segment(Loss loss) {
  former_.merge(current_);
  current_.clear();
  loss_ = loss;
}

void OpenIntents::observe(const FrameHeader& header, std::string_view payload) {
  const bool carried = (header.flags & kCarriedOver) != 0;
  if (last_sequence_ != 0 && header.lane_sequence != last_sequence_ + 1) gap_ = true;
  last_sequence_ = header.lane_sequence;
  if (!carried) {
    if (gap_ && loss_ == Loss::power_cut) orphans_.merge(former_);
    former_.clear();
    gap_ = false;
  }
  const auto id = payload_id(payload);
  if (!id) return;
  if (header.kind == FrameKind::intent) {
    current_.insert_or_assign(*id, payload);
    former_.erase(*id);
    orphans_.erase(*id);
  } else if (header.kind == FrameKind::exchange) {
    current_.erase(*id);
    orphans_.erase(*id);
  }
}

std::map<ExchangeId, std::string> OpenIntents::take() {
  former_.merge(current_);
  former_.merge(orphans_);
  current_.clear();
  orphans_.clear();
  last_sequence_ = 0;
  gap_ = false;
  return std::exchange(former_, {});
}

OpenIntents::Loss loss_in(const BootId& boot) {
  return boot == current_boot() ? OpenIntents::Loss::recycling : OpenIntents::Loss::power_cut;
}

}  // namespace segue::recorder
