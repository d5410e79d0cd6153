#include "warehouse/upkeep/term.hpp"

#include <algorithm>
#include <utility>

#include "warehouse/upkeep/closed_days.hpp"

namespace segue::warehouse {

Term::Term(Archive& archive, std::string doing) : tenure_(archive.store(), std::move(doing)) {
  mend_watermark(archive);
  unmended_ = mend_forgetting(archive, tenure_);
}

bool Term::leaves_alone(const std::string& key) const {
  return std::ranges::any_of(unmended_,
                             [&](const UnmendedFile& each) { return each.file.key == key; });
}

std::vector<HalfForgotten> Term::left_half_forgotten() const {
  std::vector<HalfForgotten> files;
  for (const UnmendedFile& each : unmended_) files.push_back(each.file);
  return files;
}

std::vector<std::string> Term::warnings() const {
  std::vector<std::string> lines;
  for (const UnmendedFile& each : unmended_) lines.push_back(each.what);
  return lines;
}

}  // namespace segue::warehouse
