#include "routing/route_tests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "routing/compiled_routes.hpp"
#include "routing/key_source.hpp"
#include "routing/location.hpp"

namespace segue::routing {
namespace {

constexpr std::string_view kAbsent = "none";

// Shares are configured with two decimals.
constexpr double kShareTolerance = 0.005;

std::string share_text(double legacy, double fresh) {
  return fmt::format("legacy {:g}, new {:g}", legacy, fresh);
}

// One case against one table. Lives as long as the decision's views are needed.
class CaseRun {
 public:
  CaseRun(const RouteTable& table, const TestCase& test) : table_(table.compiled()), test_(test) {
    for (const auto& [name, value] : test.headers) fields_.push_back({name, value});
    const std::string_view host = test.host.empty() ? std::string_view("localhost") : test.host;
    head_ = {test.method, test.scheme, host, test.target, fields_};
    decision_ = table.decide(head_, Peer{"127.0.0.1"}, scratch_);
    if (decision_.route != nullptr) route_ = &table_.routes[decision_.route->index];
    forwarded_ = route_ != nullptr && route_->action == RouteAction::forward;
  }

  TestResult result(std::size_t index) {
    TestResult result;
    result.index = index;
    result.title = fmt::format("{} {}", test_.method, test_.target);
    if (route_ != nullptr) result.route = route_->rule.name;
    check_route();
    check_backend();
    check_shadow();
    check_split();
    if (test_.upstream_path) check("upstream_path", *test_.upstream_path, upstream_path());
    if (test_.location) check("location", *test_.location, location());
    check_parameters();
    check_status();
    result.assertions = std::move(assertions_);
    return result;
  }

 private:
  void check(std::string what, std::string expected, std::string got) {
    const bool holds = expected == got;
    assertions_.push_back({std::move(what), std::move(expected), std::move(got), holds});
  }

  std::string route_name() const {
    return route_ == nullptr ? std::string(kAbsent) : route_->rule.name;
  }

  void check_route() {
    if (test_.route) check("route", *test_.route, route_name());
    if (!test_.not_route) return;
    assertions_.push_back({"not_route", fmt::format("not {}", *test_.not_route), route_name(),
                           route_name() != *test_.not_route});
  }

  // `key` stands in for the sticky value, wherever the route reads it from.
  std::uint32_t backend() const {
    if (!route_->rule.split || !test_.key || test_.key->empty()) return decision_.backend;
    return bucket_of(route_->salt, *test_.key) < route_->rule.split->new_share
               ? route_->new_arm
               : route_->legacy_arm;
  }

  void check_backend() {
    if (!test_.backend) return;
    check("backend", *test_.backend,
          forwarded_ ? table_.backends[backend()].name : std::string(kAbsent));
  }

  void check_shadow() {
    if (!test_.shadow) return;
    std::string got(kAbsent);
    if (route_ != nullptr) {
      const ShadowChoice copy = choose_shadow(*route_, test_.method, backend());
      if (copy.shadow == Decision::Shadow::chosen) got = table_.backends[copy.backend].name;
    }
    check("shadow", *test_.shadow, std::move(got));
  }

  void check_split() {
    if (!test_.split) return;
    const auto [legacy, fresh] = *test_.split;
    Assertion assertion{"split", share_text(legacy, fresh), std::string(kAbsent), false};
    if (route_ != nullptr && route_->rule.split) {
      const double share = route_->rule.split->new_share / 100.0;
      assertion.got = share_text(100 - share, share);
      assertion.holds = std::abs(fresh - share) < kShareTolerance &&
                        std::abs(legacy - (100 - share)) < kShareTolerance;
    }
    assertions_.push_back(std::move(assertion));
  }

  // Compared with the query when the expectation has one, else without.
  std::string upstream_path() const {
    if (!forwarded_) return std::string(kAbsent);
    const auto target = decision_.upstream_target;
    const bool with_query = test_.upstream_path->find('?') != std::string::npos;
    return std::string(with_query ? target : target.substr(0, target.find('?')));
  }

  std::string location() const {
    if (route_ == nullptr || route_->action != RouteAction::redirect) return std::string(kAbsent);
    const RouteRule& rule = route_->rule;
    return location_of(head_,
                       {rule.redirect_scheme, rule.redirect_host, decision_.upstream_target})
        .value_or(std::string(kAbsent));
  }

  void check_parameters() {
    if (!test_.params) return;
    for (const auto& [name, value] : *test_.params) {
      const auto found = std::find_if(decision_.parameters.begin(), decision_.parameters.end(),
                                      [&](const auto& known) { return known.name == name; });
      check("params." + name, value,
            std::string(found == decision_.parameters.end() ? kAbsent : found->value));
    }
  }

  void check_status() {
    if (!test_.status) return;
    std::string got;
    switch (decision_.verdict) {
      case Decision::Verdict::routed:
        got = forwarded_ ? "the backend's" : std::to_string(route_->rule.answer_status);
        break;
      case Decision::Verdict::no_route: got = "404"; break;
      case Decision::Verdict::path_confusion:
      case Decision::Verdict::bad_target: got = "400"; break;
    }
    check("status", std::to_string(*test_.status), got);
  }

  const CompiledRoutes& table_;
  const TestCase& test_;
  std::vector<Field> fields_;
  Scratch scratch_;
  Decision decision_;
  HeadView head_;
  const CompiledRoute* route_ = nullptr;
  bool forwarded_ = false;  // routed, and to a backend
  std::vector<Assertion> assertions_;
};

}  // namespace

bool TestResult::passed() const noexcept {
  return std::all_of(assertions.begin(), assertions.end(),
                     [](const auto& assertion) { return assertion.holds; });
}

std::vector<TestResult> run_tests(const RouteTable& table, std::span<const TestCase> tests) {
  std::vector<TestResult> results;
  for (std::size_t i = 0; i < tests.size(); ++i)
    results.push_back(CaseRun(table, tests[i]).result(i));
  return results;
}

}  // namespace segue::routing
