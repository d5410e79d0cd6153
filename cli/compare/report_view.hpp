#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compare/report.hpp"

namespace segue::cli {

enum class ReportForm : std::uint8_t { text, json, junit, html };

// A gate and where it does not hold, a line for each.
struct GateOutcome {
  std::string gate;                   // as it was written
  std::vector<std::string> failures;  // empty: it holds

  bool holds() const noexcept { return failures.empty(); }
};

// What every form of the output shows.
struct ReportView {
  compare::Report report;
  std::string source;  // as it may be written
  std::string rules;   // the configuration that the rules come from; empty: none was read
  std::vector<GateOutcome> gates;
};

// The forms. Everything that comes from traffic is escaped for the form it goes into.

// One JSON object and a line feed; docs/seguectl-compare.md lists its members.
std::string report_json(const ReportView& view);
// JUnit's XML: a testsuite for each route with a testcase for each field, and one of the gates.
std::string report_junit(const ReportView& view);
// One HTML file that needs nothing else: no network, and no script to be read.
std::string report_page(const ReportView& view);

}  // namespace segue::cli
