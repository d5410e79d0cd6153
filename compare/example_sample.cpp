#include "compare/example_sample.hpp"

#include <algorithm>

#include "exchange/id.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace segue::compare {
namespace {

constexpr std::size_t kMostPath = 1'024;  // bytes

std::string text_of(const std::string& raw) {
  const auto id = ExchangeId::from_bytes(raw);
  return id ? id->text() : std::string{};
}

}  // namespace

std::uint64_t ExampleSample::priority_of(const std::string& primary) noexcept {
  return XXH3_64bits(primary.data(), primary.size());
}

void ExampleSample::offer(const Candidate& candidate) {
  const auto place = std::ranges::upper_bound(kept_, candidate.priority, {}, &Kept::priority);
  if (place == kept_.end() && kept_.size() == FieldReport::kMostExamples) return;
  const Difference& difference = candidate.difference;
  kept_.insert(place, {candidate.priority,
                       {candidate.primary, candidate.other, difference.path.substr(0, kMostPath),
                        difference.left, difference.right}});
  if (kept_.size() > FieldReport::kMostExamples) kept_.pop_back();
}

std::vector<Example> ExampleSample::examples() const {
  std::vector<Example> examples;
  for (const Kept& kept : kept_) examples.push_back(kept.example);
  std::ranges::sort(examples, {}, &Example::primary);
  for (Example& example : examples) {
    example.primary = text_of(example.primary);
    example.other = text_of(example.other);
  }
  return examples;
}

}  // namespace segue::compare
