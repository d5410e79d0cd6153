#pragma once

#include <cstdint>

#include "compare/report.hpp"

namespace segue::compare {

// Diffy's published rule (github.com/opendiffy/diffy): a field is a finding when it differs more
// often than noise does, by more than this share of the two together, and by more than this share
// of all requests.
inline constexpr double kRelativeThreshold = 0.20;
inline constexpr double kAbsoluteThreshold = 0.0003;

// With fewer control pairs nothing is called noise (where min_pairs is lower, fewer than that): one
// or two that differ by chance would make it of a fault.
inline constexpr std::uint64_t kMinControls = 20;

bool exceeds_by_diffys_rule(const Share& raw, const Share& noise) noexcept;

// What becomes of a field that differs in `raw` of the pairs with the shadow and in `noise` of
// those with a control. Where there are controls, a finding also needs 95 % intervals that do not
// overlap: with few of them a rare noise is not seen there, and Diffy's rule alone takes it for a
// finding. Where there are none (noise.of == 0), noise is taken as 0. docs/comparing.md and
// docs/decisions/0004-noise.md say what follows.
Judgement judge(const Share& raw, const Share& noise, std::uint64_t min_pairs) noexcept;

}  // namespace segue::compare
