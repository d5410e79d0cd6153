#include "recorder/redaction/header_rules.hpp"

#include <algorithm>

#include "exchange/head.hpp"
#include "recorder/redaction/lower_case.hpp"

namespace segue::recorder {

HeaderRules::HeaderRules(std::span<const Redaction> redactions) {
  const auto add = [this](std::string_view name, RedactionMode mode) {
    std::string lowered = lower_case(name);
    if (const int known = match_any(lowered); known != kNoRule) {
      Rule& rule = rules_[static_cast<std::size_t>(known)];
      rule.mode = std::max(rule.mode, mode);
      return;
    }
    if (!lowered.empty() && lowered.size() < kLengths)
      first_letters_[lowered.size()] |= std::uint32_t{1}
                                        << (static_cast<unsigned char>(lowered.front()) & 31);
    std::string label = "header:" + lowered;
    rules_.push_back({std::move(lowered), std::move(label), mode});
  };
  for (const Redaction& redaction : redactions) add(redaction.name, redaction.mode);
  for (const std::string_view name : kCredentialHeaders)
    if (match_any(name) == kNoRule) add(name, RedactionMode::mask);
}

int HeaderRules::match_any(std::string_view name) const noexcept {
  const auto found = std::ranges::find_if(
      rules_, [name](const Rule& rule) { return equals_ignoring_case(rule.name, name); });
  return found == rules_.end() ? kNoRule : static_cast<int>(found - rules_.begin());
}

}  // namespace segue::recorder
