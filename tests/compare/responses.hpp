#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "compare/comparer.hpp"
#include "recorder/exchange.pb.h"

namespace segue::test {

// An exchange that was answered in full, to be changed at will.
struct Response {
  v1::Exchange exchange;

  explicit Response(std::uint32_t status = 200);
  Response& header(std::string_view name, std::string_view value);
  Response& body(std::string_view type, std::string_view content);
  // Hidden by redaction in the response: "json:$..password".
  Response& redacted(std::string_view rule, v1::Redaction::Mode mode);
};

Response json(std::string_view content);

// What was found, a line each: "value $.a[0] ($.a[*]): 1 -> 2".
std::vector<std::string> lines_of(const compare::Comparison& comparison);

// A comparer by these rules, which are known to be good.
class Comparing {
 public:
  explicit Comparing(const compare::RouteRules& rules = {});
  const compare::Comparison& operator()(const Response& left, const Response& right);
  // Of two JSON bodies.
  std::vector<std::string> found(std::string_view left, std::string_view right);

 private:
  std::unique_ptr<compare::Comparer> comparer_;
};

}  // namespace segue::test
