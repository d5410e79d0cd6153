// What holds of any JSON document.

#include <catch2/catch_test_macros.hpp>

#include "tests/compare/random_json.hpp"
#include "tests/compare/responses.hpp"

namespace segue::test {
namespace {

using compare::ArrayPolicy;
using compare::RouteRules;

constexpr std::uint64_t kDocuments = 3'000;

std::vector<std::string> kinds_and_paths(const compare::Comparison& comparison) {
  std::vector<std::string> found;
  for (const compare::Difference& difference : comparison.differences)
    found.push_back(std::string(name_of(difference.kind)) + " " + difference.path);
  return found;
}

TEST_CASE("a document that is written in another way is the same, whatever the rules") {
  Comparing plain;
  RouteRules rules;
  rules.json.resize(2);
  rules.json[0].path = "$..*";
  rules.json[0].array = ArrayPolicy::set;
  rules.json[1].path = "$";
  rules.json[1].array = ArrayPolicy::by_key;
  rules.json[1].array_key = "$.ma";
  Comparing unordered(rules);
  for (std::uint64_t seed = 1; seed <= kDocuments; ++seed) {
    RandomJson document(seed);
    const Response left = json(document.written());
    const Response right = json(document.written());
    CAPTURE(seed, left.exchange.response().body().content(),
            right.exchange.response().body().content());
    REQUIRE(lines_of(plain(left, right)).empty());
    REQUIRE(lines_of(unordered(left, right)).empty());
  }
}

TEST_CASE("one change is found at its place, and nothing else is") {
  Comparing comparing;
  for (std::uint64_t seed = 1; seed <= kDocuments; ++seed) {
    RandomJson document(seed);
    const Response left = json(document.written());
    const RandomJson::Change change = document.changed();
    const Response right = json(change.document);
    CAPTURE(seed, left.exchange.response().body().content(), change.document);
    REQUIRE(kinds_and_paths(comparing(left, right)) == change.found);
  }
}

TEST_CASE("what is ignored by its path is not found when it changes") {
  for (std::uint64_t seed = 1; seed <= kDocuments / 10; ++seed) {
    RandomJson document(seed);
    const Response left = json(document.written());
    const RandomJson::Change change = document.changed();
    RouteRules rules;
    rules.ignore_json = {change.found.front().substr(change.found.front().find('$'))};
    CAPTURE(seed, left.exchange.response().body().content(), change.document);
    REQUIRE(Comparing(rules)(left, json(change.document)).verdict == compare::Verdict::same);
  }
}

TEST_CASE("what is found one way round is found the other way round") {
  Comparing comparing;
  for (std::uint64_t seed = 1; seed <= kDocuments / 10; ++seed) {
    const Response left = json(RandomJson(seed).written());
    const Response right = json(RandomJson(seed + 1).written());
    const bool differs = comparing(left, right).differences.empty();
    CAPTURE(seed, left.exchange.response().body().content(),
            right.exchange.response().body().content());
    REQUIRE(comparing(right, left).differences.empty() == differs);
  }
}

}  // namespace
}  // namespace segue::test
