#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compare/report.hpp"

namespace segue::cli {

// How a comparison reads to a person, in every form. Where a name comes from traffic the caller
// escapes it.

// "98.20 %", rounded so that only all is "100 %" and only nothing is "0 %".
std::string percent_text(const compare::Share& share);
// "97.80 to 98.55 %"; empty of nothing.
std::string interval_text(const compare::Share& share);
// "4,910 of 5,000".
std::string count_text(const compare::Share& share);

// "850 us", "1.4 ms", "2.31 s".
std::string micros_text(std::int64_t micros);
// How many times as slow: "1.17x"; "-" where it cannot be said.
std::string ratio_text(std::int64_t primary, std::int64_t shadow);

// "1 finding", "2 findings", "1,204 pairs".
std::string number_of(std::uint64_t count, std::string_view one);

// "2026-11-21 09:00:00 to 2026-11-21 10:00:00 UTC"; empty when there was no pair.
std::string period_text(const compare::Report& report);
std::uint64_t controls_of(const compare::Report& report);
std::uint64_t routes_with_findings(const compare::Report& report);

// "status", "header set-cookie", "body $.items[*].id", "body".
std::string field_title(compare::Part part, std::string_view field);
// "other value", "missing", "added", ...
std::string_view kind_text(compare::DifferenceKind kind);

// A sentence each: why this route cannot be judged, or only in part. Empty: it can.
std::vector<std::string> doubts(const compare::RouteReport& route);

// A reason on record of what was not shadowed, for people: "not sampled (shadow.percent)".
std::string not_shadowed_text(std::string_view reason);

// Where two texts differ: what they begin and end with alike, and the rest of each. Cut between
// UTF-8 characters.
struct Contrast {
  std::string_view before;
  std::string_view left;
  std::string_view right;
  std::string_view after;
};
Contrast contrast(std::string_view left, std::string_view right);

}  // namespace segue::cli
