#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "compare/comparer.hpp"
#include "compare/pairing.hpp"
#include "compare/report.hpp"

namespace segue::compare {

// Counts the comparisons of one route and learns its noise: a field is a finding when pairs of
// primary and shadow differ in it more often than pairs of primary and control do
// (docs/comparing.md has the rule). A pair of which something could not be compared is different
// when what could be differs beyond noise, and else incomparable; never a match. In whichever order
// pairs come, the report is the same, as long as no bound is reached. Bounded memory: kMostFields
// fields (of at most kMostFieldName bytes; others are counted under kOtherFields, which are never
// noise), kMostSets combinations of fields that differ together, kMostMembers in all of them (a
// pair whose combination has no room is different). One thread.
class RouteTally {
 public:
  static constexpr std::size_t kMostFields = 10'000;
  static constexpr std::size_t kMostFieldName = 1'024;
  static constexpr std::size_t kMostSets = 100'000;
  static constexpr std::size_t kMostMembers = 4'000'000;
  static constexpr std::string_view kOtherFields = "(other fields)";

  RouteTally(std::string_view route, std::uint64_t min_pairs);
  ~RouteTally();
  RouteTally(RouteTally&&) noexcept;

  void add(const Pair& pair, const Comparison& comparison);

  // How this comparison stands with what is known by now; for counting as they come.
  enum class Standing : std::uint8_t { same, noise, different, incomparable, credentials };
  Standing standing(const Comparison& comparison) const;

  std::uint64_t pairs() const noexcept;  // of primary and shadow
  std::uint64_t findings() const;        // as of now; much cheaper than a report
  RouteReport report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string_view name_of(RouteTally::Standing standing) noexcept;

}  // namespace segue::compare
