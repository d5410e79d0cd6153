#include <algorithm>
#include <cstdlib>

#include "tests/routing/random_rules.hpp"
#include "tests/routing/reference_matcher.hpp"

namespace segue::routing {
namespace {

// SEGUE_LONG=1 runs the long form.
int scaled(int rounds) { return std::getenv("SEGUE_LONG") != nullptr ? rounds * 20 : rounds; }

std::string describe(const Request& request) {
  auto text = request.method + ' ' + request.scheme + ' ' + request.host + ' ' + request.target;
  for (const auto& [name, value] : request.headers) text.append(" " + name + ": " + value);
  return text;
}

std::string describe(const std::vector<RouteRule>& rules) {
  std::string text;
  for (const auto& rule : rules) {
    text += rule.name + " form " + std::to_string(static_cast<int>(rule.match.form)) + ' ' +
            rule.match.path + " under " + rule.match.under + " host " + rule.match.host;
    for (const auto& method : rule.match.methods) text += ' ' + method;
    for (const auto& condition : rule.match.headers)
      text += " h:" + condition.name + '~' + std::to_string(static_cast<int>(condition.test)) + condition.value;
    for (const auto& condition : rule.match.query)
      text += " q:" + condition.name + '~' + std::to_string(static_cast<int>(condition.test)) + condition.value;
    for (const auto& other : rule.before) text += " before " + other;
    if (rule.trailing_slash == TrailingSlash::ignore) text += " ignore-slash";
    text += ' ' + rule.match.scheme + '\n';
  }
  return text;
}

bool reports_tie(const std::vector<Problem>& problems, const RouteRule& a, const RouteRule& b) {
  return std::any_of(problems.begin(), problems.end(), [&](const Problem& problem) {
    return problem.code == "E056" &&
           (problem.message.starts_with("'" + a.name + "' and '" + b.name + "' tie") ||
            problem.message.starts_with("'" + b.name + "' and '" + a.name + "' tie"));
  });
}

bool reports_cycle(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Problem& problem) { return problem.code == "E055"; });
}

// Removes routes with problems until the rest compiles.
std::vector<RouteRule> repaired(std::vector<RouteRule> rules) {
  for (;;) {
    const auto result = compile(rules);
    if (result.problems.empty()) return rules;
    const auto key = result.problems.front().key;
    const auto name = key.substr(7, key.find('.', 7) - 7);
    if (key.ends_with(".before")) {
      for (auto& rule : rules) {
        if (rule.name == name) rule.before.clear();
      }
    } else {
      std::erase_if(rules, [&](const auto& rule) { return rule.name == name; });
    }
  }
}

TEST_CASE("no request is undecided without a reported tie") {
  int undecided = 0;
  for (int seed = 0; seed < scaled(3000); ++seed) {
    RandomRules random(static_cast<std::uint64_t>(seed));
    const auto rules = random.rules();
    const auto result = compile(rules);
    const ReferenceMatcher reference(rules);
    for (int i = 0; i < 20; ++i) {
      const auto request = random.request();
      const auto candidates = reference.matching(request);
      if (candidates.empty() || reference.winner(request) != nullptr) continue;
      ++undecided;
      bool reported = reports_cycle(result.problems);
      for (const auto* a : candidates) {
        for (const auto* b : candidates)
          reported = reported || (a < b && reports_tie(result.problems, *a, *b));
      }
      if (reported) continue;
      FAIL("seed " << seed << ": " << describe(request) << " is undecided\n" << describe(rules));
    }
  }
  CHECK(undecided > 100);  // or the test would have tested nothing
}

TEST_CASE("the compiled table answers as the plain reading of the rule does") {
  int routed = 0;
  for (int seed = 0; seed < scaled(3000); ++seed) {
    RandomRules random(static_cast<std::uint64_t>(seed));
    const auto rules = repaired(random.rules());
    const auto table = table_of(rules);
    const ReferenceMatcher reference(rules);
    for (int i = 0; i < 30; ++i) {
      const auto request = random.request();
      const auto* winner = reference.winner(request);
      const auto expected = winner == nullptr ? std::string("404") : winner->name;
      const auto got = answer(*table, request);
      routed += winner == nullptr ? 0 : 1;
      if (got != expected) {
        FAIL("seed " << seed << ": " << describe(request) << " went to " << got << ", not to "
                     << expected << '\n'
                     << describe(rules));
      }
    }
  }
  CHECK(routed > 10'000);
}

TEST_CASE("the order in which routes are written never matters") {
  for (int seed = 0; seed < scaled(300); ++seed) {
    RandomRules random(static_cast<std::uint64_t>(seed) + 1'000'000);
    auto rules = repaired(random.rules());
    const auto table = table_of(rules);
    std::vector<Request> requests;
    std::vector<std::string> answers;
    for (int i = 0; i < 20; ++i) {
      requests.push_back(random.request());
      answers.push_back(answer(*table, requests.back()));
    }
    for (int round = 0; round < 5; ++round) {
      random.shuffle(rules);
      const auto shuffled = table_of(rules);
      INFO("seed " << seed << '\n' << describe(rules));
      REQUIRE(shuffled->version() == table->version());
      for (std::size_t i = 0; i < requests.size(); ++i) {
        INFO(describe(requests[i]));
        REQUIRE(answer(*shuffled, requests[i]) == answers[i]);
      }
    }
  }
}

TEST_CASE("shuffled rules report the same problems") {
  for (int seed = 0; seed < scaled(300); ++seed) {
    RandomRules random(static_cast<std::uint64_t>(seed) + 2'000'000);
    auto rules = random.rules();
    const auto before = compile(rules).problems;
    random.shuffle(rules);
    const auto after = compile(rules).problems;
    INFO("seed " << seed << '\n' << describe(rules));
    REQUIRE(before.size() == after.size());
    for (std::size_t i = 0; i < before.size(); ++i)
      REQUIRE(before[i].message == after[i].message);
  }
}

}  // namespace
}  // namespace segue::routing
