#include "compare/noise_rule.hpp"

#include <algorithm>

namespace segue::compare {

bool exceeds_by_diffys_rule(const Share& raw, const Share& noise) noexcept {
  const double above = raw.value() - noise.value();
  return above > 0 && above > kRelativeThreshold * (raw.value() + noise.value()) &&
         above > kAbsoluteThreshold;
}

Judgement judge(const Share& raw, const Share& noise, std::uint64_t min_pairs) noexcept {
  if (raw.of < min_pairs) return Judgement::uncertain;
  if (exceeds_by_diffys_rule(raw, noise))
    return noise.of == 0 || raw.low() > noise.high() ? Judgement::finding : Judgement::uncertain;
  // What no control ever showed is not known to be noise: it is only rare.
  const bool shown = noise.count != 0 && noise.of >= std::min(kMinControls, min_pairs);
  return shown ? Judgement::noise : Judgement::uncertain;
}

}  // namespace segue::compare
