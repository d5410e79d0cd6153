#include "compare/tally.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "compare/example_sample.hpp"
#include "compare/latency_histogram.hpp"
#include "compare/noise_rule.hpp"
#include "recorder/exchange.pb.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace segue::compare {
namespace {

using Index = std::uint32_t;
using FieldSet = std::vector<Index>;  // sorted

// From here on an index is that of a reason why not all of a pair could be compared; it stands last
// in the set of its fields.
constexpr Index kFirstReason = Index{1} << 31;

struct SetHash {
  std::size_t operator()(const FieldSet& set) const noexcept {
    return XXH3_64bits(set.data(), set.size() * sizeof(Index));
  }
};

// One kind of difference of one field.
struct Counted {
  Part part;
  DifferenceKind kind;
  std::string_view field;  // in the key of `indexes`, which stays where it is
  bool other = false;      // kOtherFields
  std::uint64_t raw = 0;
  std::uint64_t noise = 0;
  ExampleSample examples{};
};

}  // namespace

struct RouteTally::State {
  void add_control(const Comparison& comparison);
  void add_shadow(const Pair& pair, const Comparison& comparison);
  void add_differences(const Pair& pair, const Comparison& comparison);
  void add_hidden(const Comparison& comparison);
  void add_latency(const Pair& pair);
  void count_set(std::string_view reason);
  void count_incomparable(std::string_view reason);
  Index index_of_reason(std::string_view reason);

  const std::string& key_of(Part part, DifferenceKind kind, std::string_view field) const;
  Index index_of(const Difference& difference);
  void gather(const Comparison& comparison);

  Share raw_of(const Counted& counted) const noexcept { return {counted.raw, comparable}; }
  Share noise_of(const Counted& counted) const noexcept { return {counted.noise, controls}; }
  Judgement judgement_of(const Counted& counted) const noexcept;
  void report_fields(const std::vector<Judgement>& judgements, RouteReport& report) const;
  void report_classes(const std::vector<Judgement>& judgements, RouteReport& report) const;

  std::string route;
  std::uint64_t min_pairs;
  std::uint64_t pairs = 0;
  std::uint64_t comparable = 0;  // pairs of primary and shadow
  std::uint64_t controls = 0;    // comparable ones
  std::uint64_t controls_not_compared = 0;
  std::uint64_t same = 0;
  std::uint64_t credentials = 0;
  std::uint64_t without_set = 0;  // pairs that differ, and for whose combination there was no room
  std::map<std::string, std::uint64_t, std::less<>> incomparable;
  std::map<std::string, std::uint64_t> hidden;
  std::vector<std::string> reasons;  // by their index, from kFirstReason on; a handful
  std::unordered_map<std::string, Index> indexes;
  std::vector<Counted> fields;
  std::unordered_map<FieldSet, std::uint64_t, SetHash> sets;
  std::size_t members = 0;  // of all sets
  LatencyHistogram primary;
  LatencyHistogram shadow;
  mutable std::string key;  // kept for its memory, as are the next two
  FieldSet set;             // what the pair in hand differs in
  std::vector<std::pair<Index, const Difference*>> found;
};

RouteTally::RouteTally(std::string_view route, std::uint64_t min_pairs)
    : state_(std::make_unique<State>()) {
  state_->route = route;
  state_->min_pairs = min_pairs;
}
RouteTally::~RouteTally() = default;
RouteTally::RouteTally(RouteTally&&) noexcept = default;

// Valid until the next call.
const std::string& RouteTally::State::key_of(Part part, DifferenceKind kind,
                                             std::string_view field) const {
  key.assign(1, static_cast<char>(part));
  key.push_back(static_cast<char>(kind));
  key.append(field);
  return key;
}

Index RouteTally::State::index_of(const Difference& difference) {
  const auto find = [&](std::string_view field) {
    return indexes.find(key_of(difference.part, difference.kind, field));
  };
  const bool too_long = difference.field.size() > kMostFieldName;
  auto known = find(too_long ? kOtherFields : std::string_view(difference.field));
  const bool other = too_long || (known == indexes.end() && fields.size() >= kMostFields);
  if (other && !too_long) known = find(kOtherFields);
  if (known != indexes.end()) return known->second;
  const auto index = static_cast<Index>(fields.size());
  const auto added = indexes.emplace(key, index).first;
  fields.push_back({.part = difference.part,
                    .kind = difference.kind,
                    .field = std::string_view(added->first).substr(2),
                    .other = other});
  return index;
}

// The fields in which a pair differs, each with its first difference: a field counts once a pair.
void RouteTally::State::gather(const Comparison& comparison) {
  found.clear();
  for (const Difference& difference : comparison.differences)
    found.emplace_back(index_of(difference), &difference);
  std::ranges::sort(found);  // the first difference of a field first: all stand in one vector
  const auto repeated = std::ranges::unique(found, {}, &std::pair<Index, const Difference*>::first);
  found.erase(repeated.begin(), repeated.end());
}

void RouteTally::add(const Pair& pair, const Comparison& comparison) {
  if (pair.other.kind() == v1::KIND_CONTROL)
    state_->add_control(comparison);
  else
    state_->add_shadow(pair, comparison);
}

void RouteTally::State::add_control(const Comparison& comparison) {
  if (comparison.verdict != Verdict::same && comparison.verdict != Verdict::different) {
    ++controls_not_compared;
    return;
  }
  ++controls;
  gather(comparison);
  for (const auto& [index, difference] : found) ++fields[index].noise;
}

void RouteTally::State::add_shadow(const Pair& pair, const Comparison& comparison) {
  ++pairs;
  add_latency(pair);
  add_hidden(comparison);
  switch (comparison.verdict) {
    case Verdict::same:
      ++comparable;
      ++same;
      break;
    case Verdict::different:
      ++comparable;
      add_differences(pair, comparison);
      break;
    case Verdict::incomparable:
      count_incomparable(comparison.reason);
      break;
    case Verdict::credentials:
      ++credentials;
      break;
  }
}

void RouteTally::State::add_differences(const Pair& pair, const Comparison& comparison) {
  gather(comparison);
  const std::uint64_t priority = ExampleSample::priority_of(pair.primary->id());
  for (const auto& [index, difference] : found) {
    ++fields[index].raw;
    fields[index].examples.offer({priority, pair.primary->id(), pair.other.id(), *difference});
  }
  count_set(comparison.reason);
}

void RouteTally::State::count_incomparable(std::string_view reason) {
  if (const auto known = incomparable.find(reason); known != incomparable.end())
    ++known->second;
  else
    incomparable.emplace(reason, 1);
}

Index RouteTally::State::index_of_reason(std::string_view reason) {
  auto known = std::ranges::find(reasons, reason);
  if (known == reasons.end()) known = reasons.emplace(known, reason);
  return kFirstReason + static_cast<Index>(known - reasons.begin());
}

void RouteTally::State::count_set(std::string_view reason) {
  set.clear();
  for (const auto& [index, difference] : found) set.push_back(index);
  if (!reason.empty()) set.push_back(index_of_reason(reason));
  if (const auto known = sets.find(set); known != sets.end()) {
    ++known->second;
  } else if (sets.size() < kMostSets && members + set.size() <= kMostMembers) {
    members += set.size();
    sets.emplace(set, 1);
  } else {
    ++without_set;
  }
}

void RouteTally::State::add_hidden(const Comparison& comparison) {
  for (const std::string& field : comparison.hidden) {
    const bool known = hidden.contains(field);
    const bool room = hidden.size() < kMostFields && field.size() <= kMostFieldName;
    ++hidden[known || room ? field : std::string(kOtherFields)];
  }
}

// Only where both sides have it: percentiles of the same requests.
void RouteTally::State::add_latency(const Pair& pair) {
  const v1::Timing& left = pair.primary->timing();
  const v1::Timing& right = pair.other.timing();
  const auto has = [](const v1::Timing& timing) {
    return timing.has_request_sent() && timing.has_first_byte();
  };
  if (!has(left) || !has(right)) return;
  primary.add(left.first_byte() - left.request_sent());
  shadow.add(right.first_byte() - right.request_sent());
}

Judgement RouteTally::State::judgement_of(const Counted& counted) const noexcept {
  const Judgement judgement = judge(raw_of(counted), noise_of(counted), min_pairs);
  return counted.other && judgement == Judgement::noise ? Judgement::uncertain : judgement;
}

RouteTally::Standing RouteTally::standing(const Comparison& comparison) const {
  switch (comparison.verdict) {
    case Verdict::same:
      return Standing::same;
    case Verdict::incomparable:
      return Standing::incomparable;
    case Verdict::credentials:
      return Standing::credentials;
    case Verdict::different:
      break;
  }
  const bool noise = std::ranges::all_of(comparison.differences, [&](const Difference& one) {
    const auto known = state_->indexes.find(state_->key_of(one.part, one.kind, one.field));
    return known != state_->indexes.end() &&
           state_->judgement_of(state_->fields[known->second]) == Judgement::noise;
  });
  if (!noise) return Standing::different;
  return comparison.reason.empty() ? Standing::noise : Standing::incomparable;
}

std::uint64_t RouteTally::pairs() const noexcept {
  return state_->pairs;
}

std::uint64_t RouteTally::findings() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      state_->fields,
      [&](const Counted& counted) { return state_->judgement_of(counted) == Judgement::finding; }));
}

RouteReport RouteTally::report() const {
  const State& state = *state_;
  RouteReport report;
  report.route = state.route;
  report.pairs = state.pairs;
  report.controls = state.controls;
  report.controls_not_compared = state.controls_not_compared;
  report.same = state.same;
  report.credentials = state.credentials;
  report.incomparable = {state.incomparable.begin(), state.incomparable.end()};
  report.hidden = state.hidden;
  report.min_pairs = state.min_pairs;
  report.primary = state.primary.latency();
  report.shadow = state.shadow.latency();
  std::vector<Judgement> judgements;
  for (const Counted& counted : state.fields) judgements.push_back(state.judgement_of(counted));
  state.report_classes(judgements, report);
  report.enough = report.match.of >= state.min_pairs;
  state.report_fields(judgements, report);
  return report;
}

void RouteTally::State::report_classes(const std::vector<Judgement>& judgements,
                                       RouteReport& report) const {
  report.different = without_set;
  report.over_bounds = without_set;
  for (const auto& [members_of, count] : sets) {
    const bool in_part = members_of.back() >= kFirstReason;
    const auto of_fields = std::span(members_of).first(members_of.size() - (in_part ? 1 : 0));
    const bool noise = std::ranges::all_of(
        of_fields, [&](Index index) { return judgements[index] == Judgement::noise; });
    if (!noise)
      report.different += count;
    else if (in_part)
      report.incomparable[reasons[members_of.back() - kFirstReason]] += count;
    else
      report.noise_only += count;
    if (std::ranges::any_of(of_fields, [&](Index index) { return fields[index].other; }))
      report.over_bounds += count;
  }
  report.match = {report.same + report.noise_only,
                  report.same + report.noise_only + report.different};
}

void RouteTally::State::report_fields(const std::vector<Judgement>& judgements,
                                      RouteReport& report) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Counted& counted = fields[i];
    report.fields.push_back({.part = counted.part,
                             .field = std::string(counted.field),
                             .kind = counted.kind,
                             .judgement = judgements[i],
                             .raw = raw_of(counted),
                             .noise = noise_of(counted),
                             .examples = counted.examples.examples()});
  }
  std::ranges::sort(report.fields, [](const FieldReport& a, const FieldReport& b) {
    return std::tuple(a.judgement, -a.signal(), a.part, std::string_view(a.field), a.kind) <
           std::tuple(b.judgement, -b.signal(), b.part, std::string_view(b.field), b.kind);
  });
}

std::string_view name_of(RouteTally::Standing standing) noexcept {
  using Standing = RouteTally::Standing;
  switch (standing) {
    case Standing::same:
      return "same";
    case Standing::noise:
      return "noise";
    case Standing::different:
      return "different";
    case Standing::incomparable:
      return "incomparable";
    case Standing::credentials:
      break;
  }
  return "credentials";
}

}  // namespace segue::compare
