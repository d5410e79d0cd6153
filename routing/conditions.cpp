#include "routing/conditions.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include "routing/escapes.hpp"

namespace segue::routing {

using Test = ValueCondition::Test;

bool Condition::holds(const std::optional<std::string_view>& given) const noexcept {
  if (!given) return false;
  switch (test) {
    case Test::equals:
      return *given == value;
    case Test::present:
      return true;
    case Test::regex:
      return matches_whole(*regex, *given);
  }
  return false;
}

bool implies(const Condition& narrow, const Condition& wide) {
  if (wide.test == Test::present) return true;
  if (narrow.test == Test::equals) return wide.holds(narrow.value);
  return narrow.test == wide.test && narrow.value == wide.value;
}

bool excludes(const Condition& a, const Condition& b) {
  if (a.test == Test::equals) return !b.holds(a.value);
  if (b.test == Test::equals) return !a.holds(b.value);
  if (a.test == Test::regex && b.test == Test::regex) return proven_disjoint(*a.regex, *b.regex);
  return false;
}

std::optional<std::string> value_for(const Condition& condition) {
  if (condition.test == Test::equals) return condition.value;
  if (condition.test == Test::present) return "1";
  const auto samples = samples_of(*condition.regex);
  if (samples.empty()) return std::nullopt;
  return samples.front();
}

std::optional<std::string> value_for(const Condition& a, const Condition& b) {
  if (a.test == Test::equals || b.test == Test::present) return value_for(a);
  if (b.test == Test::equals || a.test == Test::present) return value_for(b);
  for (const auto* condition : {&a, &b}) {
    for (const auto& sample : samples_of(*condition->regex)) {
      if (a.holds(sample) && b.holds(sample)) return sample;
    }
  }
  return std::nullopt;
}

std::string text_of(const Condition& condition) {
  if (condition.test == Test::present) return "present";
  return condition.test == Test::regex ? fmt::format("~{}", condition.value) : condition.value;
}

void RequestValues::begin(const HeadView& head, std::string_view query,
                          std::span<const std::string> header_names,
                          std::span<const std::string> query_names) {
  ++request_;
  fields_ = head.fields;
  query_text_ = query;
  header_names_ = header_names;
  query_names_ = query_names;
  if (headers_.size() < header_names.size()) headers_.resize(header_names.size());
  if (queries_.size() < query_names.size()) {
    queries_.resize(query_names.size());
    decoded_.resize(query_names.size());
  }
}

std::optional<std::string_view> RequestValues::header(std::uint32_t name) {
  auto& known = headers_[name];
  if (known.request != request_) known = {request_, find_field(fields_, header_names_[name])};
  return known.value;
}

std::optional<std::string_view> RequestValues::query(std::uint32_t name) {
  auto& known = queries_[name];
  if (known.request != request_) {
    known = {request_, find_query_value(query_text_, query_names_[name], decoded_[name])};
  }
  return known.value;
}

}  // namespace segue::routing
