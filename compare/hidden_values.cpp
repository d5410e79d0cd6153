#include "compare/hidden_values.hpp"

#include <algorithm>

#include "recorder/redaction/base64url.hpp"
#include "recorder/redaction/mask.hpp"

namespace segue::compare {
namespace {

constexpr std::string_view kSealed = "e:";

std::size_t base64url_run(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, recorder::is_base64url) -
                                  text.begin());
}

// How long the sealed value is that `text` starts with, "e:KEY:" and base64url; 0: there is none.
std::size_t sealed_length(std::string_view text) noexcept {
  constexpr std::size_t kLongestKey = 64;
  constexpr std::size_t kLeastSealed = 60;  // 40 bytes in front, 16 behind, in base64url
  if (!text.starts_with(kSealed)) return 0;
  const std::string_view key_on = text.substr(kSealed.size());
  const std::size_t key = base64url_run(key_on.substr(0, kLongestKey + 1));
  if (key == 0 || key > kLongestKey || key == key_on.size() || key_on[key] != ':') return 0;
  const std::size_t sealed = base64url_run(key_on.substr(key + 1));
  return sealed < kLeastSealed ? 0 : kSealed.size() + key + 1 + sealed;
}

}  // namespace

void HiddenValues::add(v1::Redaction::Mode mode, Where where) noexcept {
  if (mode == v1::Redaction::MASK) masks_ |= where;
  if (mode == v1::Redaction::ENCRYPT) encrypts_ |= where;
}

HiddenValues HiddenValues::in_fields(const v1::Exchange& exchange) {
  HiddenValues hidden;
  for (const v1::Redaction& redaction : exchange.redactions()) {
    const std::string& rule = redaction.rule();
    if (redaction.part() != v1::Redaction::RESPONSE) continue;
    if (rule.starts_with("header:")) hidden.add(redaction.mode(), kWhole);
    if (rule.starts_with("query:")) hidden.add(redaction.mode(), kParameter);
    if (rule.starts_with("pattern:")) hidden.add(redaction.mode(), kAnywhere);
  }
  return hidden;
}

HiddenValues HiddenValues::in_body(const v1::Exchange& exchange) {
  HiddenValues hidden;
  for (const v1::Redaction& redaction : exchange.redactions()) {
    const std::string& rule = redaction.rule();
    if (redaction.part() != v1::Redaction::RESPONSE) continue;
    if (rule.starts_with("json:")) hidden.add(redaction.mode(), kWhole);
    if (rule.starts_with("form:")) hidden.add(redaction.mode(), kParameter);
    if (rule.starts_with("pattern:")) hidden.add(redaction.mode(), kAnywhere);
  }
  return hidden;
}

bool HiddenValues::holds_mask(std::string_view text) const noexcept {
  if (masks_ == 0) return false;
  if (text == recorder::kMask) return true;
  const bool within = (masks_ & kAnywhere) != 0 || (masks_ & kParameter) != 0;
  for (std::size_t at = within ? text.find(recorder::kMask) : std::string_view::npos;
       at != std::string_view::npos; at = text.find(recorder::kMask, at + 1))
    if ((masks_ & kAnywhere) != 0 || (at > 0 && text[at - 1] == '=')) return true;
  return false;
}

bool HiddenValues::holds_sealed(std::string_view text) const noexcept {
  if (encrypts_ == 0) return false;
  if (const std::size_t whole = sealed_length(text); whole > 0 && whole == text.size()) return true;
  if (encrypts_ == kWhole) return false;
  for (std::size_t at = text.find(kSealed); at != std::string_view::npos;
       at = text.find(kSealed, at + 1))
    if (sealed_length(text.substr(at)) > 0) return true;
  return false;
}

}  // namespace segue::compare
