#include "compare/gate.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

namespace segue::compare {
namespace {

using Catch::Matchers::ContainsSubstring;

Report report_of(RouteReport route) {
  route.route = "search-read";
  route.enough = true;
  if (route.pairs == 0) route.pairs = std::max<std::uint64_t>(route.match.of, 1);
  Report report;
  report.routes.push_back(std::move(route));
  return report;
}

std::vector<std::string> failures(std::string_view gate, const Report& report) {
  const Gate::Parsed parsed = Gate::parse(gate);
  INFO(parsed.problem);
  REQUIRE(parsed.gate.has_value());
  return parsed.gate->failures(report);
}

TEST_CASE("a gate that is none says what to write") {
  struct Row {
    const char* text;
    const char* says;
  };
  for (const auto& [text, says] : {
           Row{"", "write match>=99.9%"},
           Row{"match", "write match>=99.9%"},
           Row{"match=99%", "write match>=99.9%"},
           Row{"match>99%", "write match>=99.9%"},
           Row{"match>=", "write match>=99.9%"},
           Row{"matches>=99%", "there is no 'matches'"},
           Row{"p90<=1.2x", "there is no 'p90'"},
           Row{">=99%", "there is no ''"},
           Row{"match<=99%", "write match>=99.9%"},
           Row{"p99>=1.2x", "write p99<=1.2x"},
           Row{"findings>=1", "write findings<=0"},
           Row{"pairs<=10", "write pairs>=1000"},
           Row{"incomparable>=1%", "write incomparable<=0.1%"},
           Row{"incomparable<=1", "not followed by '%'"},
           Row{"incomparable<=101%", "more than all"},
           Row{"match>=99.9", "not followed by '%': write match>=99.9%"},
           Row{"match>=0.999x", "not followed by '%'"},
           Row{"match>=%", "'%' is no number"},
           Row{"match>=1e1%", "is no number"},
           Row{"match>=nan%", "is no number"},
           Row{"match>=-1%", "is no number"},
           Row{"match>=100.1%", "never reached"},
           Row{"p99<=200ms", "not followed by 'x': write p99<=1.2x"},
           Row{"p99<=fastx", "is no number"},
           Row{"findings<=0.5", "no whole number: write findings<=0"},
           Row{"pairs>=many", "is no number"},
           Row{"match>=99% ,p99<=1x", "not followed by '%'"},
       }) {
    const Gate::Parsed parsed = Gate::parse(text);
    INFO(text);
    CHECK_FALSE(parsed.gate.has_value());
    CHECK_THAT(parsed.problem, ContainsSubstring(says));
    CHECK_THAT(parsed.problem, ContainsSubstring(text));
  }
}

TEST_CASE("spaces around the parts of a gate are allowed") {
  for (const char* text : {"match>=99.9%", " match >= 99.9 % ", "p50<=1x", "p95 <= 1.5x",
                           "p99<=1.2 x", "findings<=0", "pairs >= 1000"}) {
    const Gate::Parsed parsed = Gate::parse(text);
    INFO(parsed.problem);
    REQUIRE(parsed.gate.has_value());
    CHECK(parsed.gate->text() == text);
    CHECK(parsed.problem.empty());
  }
}

TEST_CASE("the match rate of each route is held against its bound") {
  CHECK(failures("match>=99.9%", report_of({.match = {999, 1'000}})).empty());
  CHECK(failures("match>=98.2%", report_of({.match = {4'910, 5'000}})).empty());
  CHECK(failures("match>=100%", report_of({.match = {5, 5}})).empty());
  CHECK(failures("match>=99.9%", report_of({.match = {4'910, 5'000}})) ==
        std::vector<std::string>{
            "search-read: match 98.2 % (4,910 of 5,000), wanted at least 99.9 %"});
  // What falls short by little does not read as if it did not.
  CHECK(failures("match>=100%", report_of({.match = {9'999'999, 10'000'000}})) ==
        std::vector<std::string>{
            "search-read: match 99.999 % (9,999,999 of 10,000,000), wanted at least 100 %"});
}

TEST_CASE("findings and pairs are counted") {
  RouteReport route{.pairs = 2'000, .match = {999, 999}};
  for (const Judgement judgement : {Judgement::finding, Judgement::finding, Judgement::uncertain})
    route.fields.push_back({.field = "$.a", .judgement = judgement, .examples = {}});
  const Report report = report_of(route);
  CHECK(failures("findings<=2", report).empty());
  CHECK(failures("findings<=1", report) ==
        std::vector<std::string>{"search-read: 2 findings, wanted at most 1"});
  CHECK(failures("pairs>=999", report).empty());
  CHECK(failures("pairs>=1000", report) ==
        std::vector<std::string>{"search-read: 999 pairs could be compared, wanted at least 1000"});
}

TEST_CASE("what could not be compared is a share of all pairs but those without credentials") {
  const Report report = report_of({.pairs = 1'010,
                                   .credentials = 10,
                                   .incomparable = {{"too large", 1}, {"truncated", 1}},
                                   .match = {998, 998}});
  CHECK(failures("incomparable<=0.2%", report).empty());
  CHECK(
      failures("incomparable<=0.1%", report) ==
      std::vector<std::string>{
          "search-read: 0.2 % of pairs could not be compared (2 of 1,000), wanted at most 0.1 %"});
  // What is too much by little does not read as if it were not.
  CHECK(failures("incomparable<=0%", report_of({.pairs = 10'000'000,
                                                .incomparable = {{"truncated", 1}},
                                                .match = {9'999'999, 9'999'999}})) ==
        std::vector<std::string>{"search-read: 0.001 % of pairs could not be compared "
                                 "(1 of 10,000,000), wanted at most 0 %"});
}

TEST_CASE("no gate holds for a route without a pair") {
  Report report = report_of({.pairs = 500, .match = {500, 500}});
  report.routes.push_back({.route = "home", .min_pairs = 200});
  for (const char* gate : {"match>=1%", "findings<=9", "pairs>=0", "incomparable<=100%"})
    CHECK(failures(gate, report) == std::vector<std::string>{"home: no pairs"});
}

TEST_CASE("latency is a multiple of the primary's") {
  const Report report = report_of(
      {.primary = {1'000, 10'000, 20'000, 50'000}, .shadow = {1'000, 12'000, 20'000, 75'000}});
  CHECK(failures("p50<=1.2x", report).empty());
  CHECK(failures("p95<=1x", report).empty());
  CHECK(failures("p99<=1.5x", report).empty());
  CHECK(failures("p99<=1.4x", report) ==
        std::vector<std::string>{
            "search-read: p99 1.50x (75 ms, the primary's is 50 ms), wanted at most 1.4x"});
  CHECK(failures("p50<=1.1x", report).size() == 1);
  CHECK(failures("p99<=2x", report_of({})) ==
        std::vector<std::string>{"search-read: no pair has timings of both sides, wanted p99<=2x"});
  CHECK(failures("p99<=2x", report_of({.primary = {1, 0, 0, 0}, .shadow = {1, 0, 0, 2}})).empty());
}

TEST_CASE("a gate does not hold where little or nothing was compared") {
  CHECK(failures("match>=1%", {}) ==
        std::vector<std::string>{"nothing was compared, wanted match>=1%"});
  Report report = report_of({.min_pairs = 200, .match = {150, 150}});
  report.routes[0].enough = false;
  for (const char* gate : {"match>=1%", "findings<=9", "pairs>=1", "p99<=9x"})
    CHECK(failures(gate, report) ==
          std::vector<std::string>{"search-read: 150 pairs could be compared, and fewer than 200 "
                                   "decide nothing"});
}

TEST_CASE("a gate must hold for each route by itself") {
  Report report = report_of({.match = {1'000, 1'000}});
  report.routes.push_back(report.routes[0]);
  report.routes[1].route = "home";
  report.routes[1].match = {990, 1'000};
  CHECK(failures("match>=99.9%", report) ==
        std::vector<std::string>{"home: match 99 % (990 of 1,000), wanted at least 99.9 %"});
}

}  // namespace
}  // namespace segue::compare
