#include "routing/explain.hpp"

#include <algorithm>

#include "routing/listing.hpp"
#include "routing/route_tests.hpp"
#include "tests/routing/example_rules.hpp"

namespace segue::routing {
namespace {

Explanation explained(const RouteTable& table, const Request& request) {
  std::vector<Field> fields;
  for (const auto& [name, value] : request.headers) fields.push_back({name, value});
  return explain(table, {request.method, request.scheme, request.host, request.target, fields},
                 Peer{request.peer});
}

std::string reason(const std::vector<Standing>& list, std::string_view route) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& standing) { return standing.route == route; });
  return found == list.end() ? "(none)" : found->reason;
}

TEST_CASE("explain says who wins, why the others lose, and who nearly matched") {
  const auto table = table_of(example_rules());
  const auto result = explained(*table, {"/searches/42", "GET", "localhost", {{"x-beta", "1"}}});
  CHECK(result.winner == "search-beta");
  CHECK(result.target == "new");
  CHECK(result.backend == "new");
  REQUIRE(result.beaten.size() == 2);
  CHECK(result.beaten[0].route == "search-read");
  CHECK(result.beaten[0].reason == "narrower: adds header x-beta=1");
  CHECK(result.beaten[1].route == "catch-all");
  CHECK(result.beaten[1].reason == "segment 1: literal beats rest-of-path");
  CHECK(result.near_misses.empty());
  CHECK(result.parameters == std::vector<std::pair<std::string, std::string>>{{"id", "42"}});
}

TEST_CASE("a near miss names the one condition that failed") {
  const auto table = table_of(example_rules());
  const auto plain = explained(*table, {"/searches/42"});
  CHECK(plain.winner == "search-read");
  CHECK(plain.target == "legacy 90 / new 10");
  CHECK(reason(plain.near_misses, "search-beta") == "header x-beta is 1");
  CHECK(reason(explained(*table, {"/searches"}).near_misses, "search-create") == "method is POST");
  CHECK(reason(explained(*table, {"/searches/abc"}).near_misses, "search-read") ==
        "segment 2 is [0-9]+");
  const auto slash = explained(*table, {"/searches/", "POST"});
  CHECK(reason(slash.near_misses, "search-create") == "path has no slash at its end");
}

TEST_CASE("explain names host, before and ending as reasons") {
  const auto table = table_of({prefix("host", "/").host("a.example"), path("end", "/x"),
                               prefix("rest", "/x"), path("p", "/y/{p}"),
                               path("one", "/z").header_present("h1").before({"two"}),
                               path("two", "/z").header_present("h2")});
  const auto host = explained(*table, {"/x", "GET", "a.example"});
  CHECK(reason(host.beaten, "end") == "host: a.example beats any");
  CHECK(reason(explained(*table, {"/x"}).beaten, "rest") == "segment 2: ending beats rest-of-path");
  CHECK(reason(explained(*table, {"/z", "GET", "h", {{"h1", ""}, {"h2", ""}}}).beaten, "two") ==
        "before: two is written in one");
}

TEST_CASE("explain of a refused target says why") {
  const auto table = table_of(example_rules());
  const auto result = explained(*table, {"/geo/%2e%2e/searches"});
  CHECK(result.verdict == Decision::Verdict::path_confusion);
  CHECK(result.path == "/searches");
  CHECK(result.winner.empty());
  CHECK(explained(*table, {"/%zz"}).verdict == Decision::Verdict::bad_target);
}

std::vector<TestCase> example_tests() {
  const auto test = [](std::string method, std::string target) {
    TestCase made;
    made.method = std::move(method);
    made.target = std::move(target);
    return made;
  };
  std::vector<TestCase> tests(9);
  tests[0] = test("GET", "/");
  tests[0].route = "catch-all";
  tests[0].backend = "legacy";
  tests[1] = test("GET", "/searches/42");
  tests[1].route = "search-read";
  tests[1].split = std::array{90.0, 10.0};
  tests[2] = test("GET", "/searches/42");
  tests[2].headers = {{"x-beta", "1"}};
  tests[2].backend = "new";
  tests[3] = test("GET", "/searches/abc");
  tests[3].route = "catch-all";
  tests[4] = test("DELETE", "/searches/42");
  tests[4].route = "catch-all";
  tests[4].not_route = "search-read";
  tests[5] = test("POST", "/searches");
  tests[5].backend = "legacy";
  tests[6] = test("GET", "/geo/be/gent?x=1");
  tests[6].upstream_path = "/v1/geo/be/gent";
  tests[7] = test("GET", "/searches/42");
  tests[7].params = std::map<std::string, std::string>{{"id", "42"}};
  tests[8] = test("GET", "/geo//x");
  tests[8].status = 400;
  tests[8].route = "none";
  return tests;
}

TEST_CASE("the tests of the example pass, and every assertion is reported") {
  const auto table = table_of(example_rules());
  const auto results = run_tests(*table, example_tests());
  REQUIRE(results.size() == 9);
  for (const auto& result : results) {
    INFO(result.title);
    CHECK(result.passed());
    CHECK_FALSE(result.assertions.empty());
  }
}

TEST_CASE("a failed test says what was expected and what came") {
  const auto table = table_of(example_rules());
  auto tests = example_tests();
  tests.resize(2);
  tests[0].route = "geo";
  tests[0].status = 404;
  tests[1].split = std::array{50.0, 50.0};
  const auto results = run_tests(*table, tests);
  CHECK_FALSE(results[0].passed());
  CHECK(results[0].assertions[0].expected == "geo");
  CHECK(results[0].assertions[0].got == "catch-all");
  CHECK(results[0].assertions[1].holds);
  CHECK_FALSE(results[0].assertions[2].holds);
  CHECK(results[1].assertions[1].expected == "legacy 50, new 50");
  CHECK(results[1].assertions[1].got == "legacy 90, new 10");
}

TEST_CASE("the key of a test stands in for the sticky value") {
  const auto table = table_of(example_rules());
  for (int user = 0; user < 50; ++user) {
    const auto key = "u" + std::to_string(user);
    TestCase test;
    test.method = "GET";
    test.target = "/searches/42";
    test.key = key;
    const Decided decided(*table, {"/searches/42", "GET", "h", {{"cookie", "uid=" + key}}});
    test.backend = decided->backend == 1 ? "new" : "legacy";
    const std::vector<TestCase> tests{test};
    CHECK(run_tests(*table, tests)[0].passed());
  }
}

TEST_CASE("the list shows routes in their effective order with what tests cover") {
  const auto table = table_of(example_rules());
  const auto rows = list_routes(*table, example_tests());
  REQUIRE(rows.size() == 6);
  const auto place = [&](std::string_view name) {
    return std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; }) -
           rows.begin();
  };
  CHECK(place("search-beta") < place("search-read"));
  CHECK(place("catch-all") == 5);
  CHECK(rows[0].order == 1);
  const auto& read = rows[static_cast<std::size_t>(place("search-read"))];
  CHECK(read.matcher == "GET|HEAD /searches/{id:[0-9]+}");
  CHECK(read.target == "legacy 90 / new 10");
  CHECK(read.tests == 2);
  CHECK(rows[5].matcher == "/*");
}

}  // namespace
}  // namespace segue::routing
