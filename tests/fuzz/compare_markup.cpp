#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "compare/comparer.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/utf8.hpp"

namespace {

using namespace segue;

v1::Exchange answered(const char* type, std::string_view body) {
  v1::Exchange exchange;
  exchange.set_outcome(v1::OUTCOME_COMPLETED);
  exchange.mutable_response()->set_status(200);
  v1::Body& on_record = *exchange.mutable_response()->mutable_body();
  on_record.set_capture(v1::CAPTURE_COMPLETE);
  on_record.set_content_type(type);
  on_record.set_content(std::string(body));
  return exchange;
}

bool differ(compare::Comparer& comparer, const v1::Exchange& left, const v1::Exchange& right) {
  const compare::Comparison& comparison = comparer.compare(left, right);
  for (const compare::Difference& difference : comparison.differences)
    for (const std::string* text :
         {&difference.path, &difference.field, &difference.left, &difference.right})
      if (!recorder::is_utf8(*text)) __builtin_trap();
  return !comparison.differences.empty();
}

}  // namespace

// Two bodies with a zero byte between them, as XML, as HTML and as text. What is said of them is
// valid UTF-8, and whether they differ does not depend on which is the left one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto comparer = compare::Comparer::make({}).comparer;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t between = input.find('\0');
  const std::string_view first = input.substr(0, between);
  const std::string_view second =
      between == std::string_view::npos ? std::string_view() : input.substr(between + 1);
  for (const char* type : {"text/xml", "text/html", "text/plain", ""}) {
    const v1::Exchange left = answered(type, first);
    const v1::Exchange right = answered(type, second);
    if (differ(*comparer, left, right) != differ(*comparer, right, left)) __builtin_trap();
    if (differ(*comparer, left, left)) __builtin_trap();
  }
  return 0;
}
