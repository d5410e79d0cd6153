#include "compare/difference_list.hpp"

#include <algorithm>

#include "recorder/utf8.hpp"

namespace segue::compare {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kOmitted = "\xe2\x80\xa6";  // an ellipsis
constexpr std::size_t kBefore = 60;  // bytes that are shown before the first difference

// Where both are to be shown from, so that the first difference is seen.
std::size_t shown_from(std::string_view left, std::string_view right) {
  if (std::max(left.size(), right.size()) <= Difference::kMostText) return 0;
  const auto [a, b] = std::ranges::mismatch(left, right);
  const auto same = static_cast<std::size_t>(a - left.begin());
  if (same + kBefore < Difference::kMostText) return 0;
  std::size_t from = same - kBefore;
  while (from > 0 && (static_cast<unsigned char>(left[from]) & 0xc0U) == 0x80) --from;
  return from;
}

std::string shown(std::string_view text, std::size_t from) {
  if (from == 0) return readable(text, Difference::kMostText);
  std::string cut(kOmitted);
  cut += readable(text.substr(from), Difference::kMostText - kOmitted.size());
  return cut;
}

}  // namespace

std::string readable(std::string_view text, std::size_t most) {
  if (text.size() <= most && recorder::is_utf8(text)) return std::string(text);
  std::string valid;
  while (!text.empty()) {
    const std::size_t sequence = recorder::utf8_sequence(text);
    const std::string_view next = sequence > 0 ? text.substr(0, sequence) : kReplacement;
    if (valid.size() + next.size() > most) break;
    valid += next;
    text.remove_prefix(std::max<std::size_t>(sequence, 1));
  }
  return valid;
}

void DifferenceList::clear() {
  comparison_.verdict = Verdict::same;
  comparison_.reason = {};
  comparison_.differences.clear();
  comparison_.hidden.clear();
  listed_.clear();
  hidden_.clear();
  lacks_a_field_ = false;
}

bool DifferenceList::wants(Part part, std::string_view field, DifferenceKind kind) {
  key_.clear();
  key_.push_back(static_cast<char>(part));
  key_.push_back(static_cast<char>(kind));
  key_ += field.substr(0, kMostPathBytes);
  const auto listed = listed_.find(key_);
  if (listed != listed_.end()) return listed->second < kMostOfField;
  if (comparison_.differences.size() < kMostDifferences) return true;
  lacks_a_field_ = true;
  return false;
}

void DifferenceList::add(Part part, std::string_view path, std::string_view field,
                         DifferenceKind kind, std::string_view left, std::string_view right) {
  if (!wants(part, field, kind) || comparison_.differences.size() >= kMostDifferences) return;
  ++listed_[key_];
  Difference& added = comparison_.differences.emplace_back();
  const std::size_t from = shown_from(left, right);
  added.part = part;
  added.path = readable(path, kMostPathBytes);
  added.field = readable(field, kMostPathBytes);
  added.kind = kind;
  added.left = shown(left, from);
  added.right = shown(right, from);
}

void DifferenceList::hide(std::string_view field) {
  auto& hidden = comparison_.hidden;
  std::string name = readable(field, kMostPathBytes);
  if (hidden.size() >= kMostHidden || !hidden_.insert(name).second) return;
  hidden.push_back(std::move(name));
}

}  // namespace segue::compare
