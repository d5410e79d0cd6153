#include "compare/hidden_values.hpp"

#include "recorder/redaction/mask.hpp"

namespace segue::compare {

void HiddenValues::add(v1::Redaction::Mode mode) noexcept {
  masks_ |= mode == v1::Redaction::MASK;
  encrypts_ |= mode == v1::Redaction::ENCRYPT;
}

HiddenValues HiddenValues::in_fields(const v1::Exchange& exchange) {
  HiddenValues hidden;
  for (const v1::Redaction& redaction : exchange.redactions()) {
    const std::string& rule = redaction.rule();
    if (redaction.part() != v1::Redaction::RESPONSE) continue;
    if (rule.starts_with("header:") || rule.starts_with("query:") || rule.starts_with("pattern:"))
      hidden.add(redaction.mode());
  }
  return hidden;
}

HiddenValues HiddenValues::in_body(const v1::Exchange& exchange) {
  HiddenValues hidden;
  for (const v1::Redaction& redaction : exchange.redactions()) {
    const std::string& rule = redaction.rule();
    if (redaction.part() != v1::Redaction::RESPONSE) continue;
    if (rule.starts_with("json:") || rule.starts_with("form:") || rule.starts_with("pattern:"))
      hidden.add(redaction.mode());
  }
  return hidden;
}

bool HiddenValues::holds_mask(std::string_view text) noexcept {
  return text.find(recorder::kMask) != std::string_view::npos;
}

// "e:KEY:" and base64url.
bool HiddenValues::holds_sealed(std::string_view text) noexcept {
  constexpr std::size_t kLeastSealed = 60;  // 40 bytes in front, 16 behind, in base64url
  for (std::size_t at = text.find("e:"); at != std::string_view::npos;
       at = text.find("e:", at + 1)) {
    const std::size_t key_end = text.find(':', at + 2);
    if (key_end != std::string_view::npos && text.size() - key_end > kLeastSealed) return true;
  }
  return false;
}

}  // namespace segue::compare
