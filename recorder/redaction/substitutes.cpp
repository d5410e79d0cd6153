#include "recorder/redaction/substitutes.hpp"

#include <algorithm>

namespace segue::recorder {

void Substitutes::start(std::span<const Rule> rules) {
  rules_ = rules;
  counts_.assign(kParts * rules.size(), 0);
}

void Substitutes::note(RuleIndex rule) noexcept {
  ++counts_[part_ * rules_.size() + rule];
}

void Substitutes::append(RedactionMode mode, std::string_view value, std::string_view raw,
                         SealedForm form, std::string& out) {
  if (mode == RedactionMode::drop) return;
  if (mode == RedactionMode::mask || sealer_ == nullptr)
    out += kMask;
  else if (mode == RedactionMode::hash)
    sealer_->hash(value, out);
  else
    sealer_->seal(raw, form, out);
}

void Substitutes::put(RuleIndex rule, std::string_view value, std::string_view raw, SealedForm form,
                      std::string& out) {
  note(rule);
  append(rules_[rule].mode, value, raw, form, out);
}

void Substitutes::put(RedactionMode mode, std::string_view value, std::string& out) {
  append(mode, value, value, SealedForm::text, out);
}

void Substitutes::replace(std::string_view text, std::vector<Hit>& hits, std::string& out) {
  std::ranges::sort(hits, [](const Hit& a, const Hit& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
  });
  std::size_t copied = 0;
  for (std::size_t i = 0; i < hits.size();) {
    Hit hit = std::move(hits[i]);
    for (++i; i < hits.size() && hits[i].begin < hit.end; ++i) {
      if (rules_[hits[i].rule].mode > rules_[hit.rule].mode) hit.rule = hits[i].rule;
      if (hits[i].end <= hit.end) continue;
      hit.end = hits[i].end;
      hit.value.clear();
    }
    out += text.substr(copied, hit.begin - copied);
    const std::string_view raw = text.substr(hit.begin, hit.end - hit.begin);
    put(hit.rule, hit.value.empty() ? raw : hit.value, raw, SealedForm::text, out);
    copied = hit.end;
  }
  out += text.substr(copied);
}

}  // namespace segue::recorder
