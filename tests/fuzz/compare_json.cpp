#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "compare/comparer.hpp"
#include "recorder/exchange.pb.h"

namespace {

using namespace segue;

compare::RouteRules rules() {
  compare::RouteRules rules;
  rules.ignore_json = {"$..noise", "$.list[-1]"};
  rules.json.resize(4);
  rules.json[0].path = "$.set";
  rules.json[0].array = compare::ArrayPolicy::set;
  rules.json[1].path = "$..items";
  rules.json[1].array = compare::ArrayPolicy::by_key;
  rules.json[1].array_key = "$.id";
  rules.json[2].path = "$.n";
  rules.json[2].tolerance = 0.5;
  rules.json[3].path = "$..ref";
  rules.json[3].ignore = compare::IgnoredType::pattern;
  rules.json[3].pattern = "[a-z]+";
  return rules;
}

v1::Exchange answered(std::string_view body) {
  v1::Exchange exchange;
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_response()->set_status(200);
  v1::Body& on_record = *exchange.mutable_response()->mutable_body();
  on_record.set_capture(v1::CAPTURE_COMPLETE);
  on_record.set_content_type("application/json");
  on_record.set_content(std::string(body));
  return exchange;
}

bool differ(compare::Comparer& comparer, const v1::Exchange& left, const v1::Exchange& right) {
  const compare::Comparison& comparison = comparer.compare(left, right);
  for (const compare::Difference& difference : comparison.differences)
    if (difference.left.size() > compare::Difference::kMostText ||
        difference.right.size() > compare::Difference::kMostText)
      __builtin_trap();
  return !comparison.differences.empty();
}

}  // namespace

// Two bodies with a zero byte between them, on a route without rules and on one with every kind of
// them. A body is equal to itself, blanks around it do not count, and whether two differ does not
// depend on which is the left one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto plain = compare::Comparer::make({}).comparer;
  static const auto ruled = compare::Comparer::make(rules()).comparer;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t between = input.find('\0');
  const std::string_view first = input.substr(0, between);
  const std::string_view second =
      between == std::string_view::npos ? std::string_view() : input.substr(between + 1);
  const v1::Exchange left = answered(first);
  const v1::Exchange right = answered(second);
  const v1::Exchange spaced = answered(std::string(first) + " \n");
  for (compare::Comparer* comparer : {plain.get(), ruled.get()}) {
    if (differ(*comparer, left, right) != differ(*comparer, right, left)) __builtin_trap();
    if (differ(*comparer, left, left)) __builtin_trap();
    const compare::Comparison& itself = comparer->compare(left, spaced);
    const bool differs = !first.empty() && !itself.differences.empty();
    if (differs && itself.differences.front().kind != compare::DifferenceKind::malformed)
      __builtin_trap();
  }
  return 0;
}
