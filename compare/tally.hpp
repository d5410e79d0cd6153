#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "compare/comparer.hpp"
#include "compare/pairing.hpp"
#include "compare/report.hpp"

namespace segue::compare {

// Counts the comparisons of one route and learns its noise: a field is a finding when pairs of
// primary and shadow differ in it more often than pairs of primary and control do (docs/comparing.md
// has the rule). Bounded memory: kMostFields fields, kMostSets sets of fields that differ together;
// what comes over that is counted as different under one name. One thread.
class RouteTally {
 public:
  static constexpr std::size_t kMostFields = 10'000;
  static constexpr std::size_t kMostSets = 100'000;

  RouteTally(std::string_view route, std::uint64_t min_pairs);
  ~RouteTally();

  void add(const Pair& pair, const Comparison& comparison);

  // How this comparison stands with what is known by now; for counting as they come.
  enum class Standing : std::uint8_t { same, noise, different, incomparable, credentials };
  Standing standing(const Comparison& comparison) const;

  RouteReport report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string_view name_of(RouteTally::Standing standing) noexcept;

}  // namespace segue::compare
