#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "routing/route_table.hpp"

namespace segue::routing {

// One expectation of a test case, and what came of it.
struct Assertion {
  std::string what;  // "route", "backend", "params.id", ...
  std::string expected;
  std::string got;
  bool holds = false;
};

struct TestResult {
  std::size_t index = 0;  // in the list given to run_tests()
  std::string title;      // "GET /searches/42"
  std::string route;      // that was chosen; empty when none was
  std::vector<Assertion> assertions;
  bool passed() const noexcept;
};

// Runs every case against the table and goes on after failures. Pure: no time, no network.
std::vector<TestResult> run_tests(const RouteTable& table, std::span<const TestCase> tests);

}  // namespace segue::routing
