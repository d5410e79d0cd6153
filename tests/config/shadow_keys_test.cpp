#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

using compare::ArrayPolicy;
using compare::IgnoredType;
using compare::PathRule;
using std::chrono::milliseconds;
using testing::load_changed;
using testing::route_of;
using testing::settings_of;
using Texts = std::vector<std::string>;

TEST_CASE("a shadow has the documented defaults, and a route without one has none") {
  const Settings settings = settings_of(
      "routes:\n"
      "  copied: { match: {}, to: legacy, shadow: { to: new, percent: 0.25 } }\n"
      "  plain: { match: { path: /plain }, to: legacy }");
  const RouteSettings& copied = route_of(settings, "copied");
  REQUIRE(copied.shadow.has_value());
  CHECK(copied.rule.shadow == routing::ShadowRule{"new", ""});
  CHECK(copied.shadow->share == 25);
  CHECK(copied.shadow->control_share == 0);
  CHECK(copied.shadow->timeout == milliseconds{2000});
  CHECK(copied.shadow->max_in_flight == 50);
  CHECK(copied.shadow->max_body_bytes == 1 << 20);
  CHECK(copied.shadow->remove_headers.empty());
  CHECK(copied.compare.min_pairs == 200);
  CHECK_FALSE(route_of(settings, "plain").shadow.has_value());
  CHECK_FALSE(route_of(settings, "plain").rule.shadow.has_value());
  CHECK(settings.live_comparison.share == 1000);
  CHECK(settings.live_comparison.queue == 1024);
}

TEST_CASE("every value of a shadow arrives") {
  const Settings settings = settings_of(R"(
live_comparison: { percent: 0, queue: 7 }
routes:
  all:
    match: {}
    split: { legacy: 90, new: 10 }
    sticky: { key: cookie:uid, missing: legacy }
    shadow: { to: other, percent: 20, control_percent: 2.5, writes: "a scratch database",
              timeout: 250ms, max_in_flight: 3, max_body: 0B, remove_headers: [Authorization] }
)");
  const RouteSettings& route = route_of(settings, "all");
  CHECK(route.rule.shadow == routing::ShadowRule{"other", "a scratch database"});
  CHECK(route.shadow->share == 2000);
  CHECK(route.shadow->control_share == 250);
  CHECK(route.shadow->timeout == milliseconds{250});
  CHECK(route.shadow->max_in_flight == 3);
  CHECK(route.shadow->max_body_bytes == 0);
  CHECK(route.shadow->remove_headers == Texts{"Authorization"});
  CHECK(settings.live_comparison.share == 0);
  CHECK(settings.live_comparison.queue == 7);
}

TEST_CASE("defaults of shadows are for routes that have one, and give way to theirs") {
  const Settings settings = settings_of(R"(
defaults:
  record: { redact: {} }
  shadow: { timeout: 1s, control_percent: 1, max_in_flight: 9, remove_headers: [x-a, x-b] }
routes:
  plain: { match: { path: /plain }, to: legacy }
  copied: { match: {}, to: legacy,
            shadow: { to: new, percent: 5, timeout: 3s, remove_headers: [x-c] } }
)");
  CHECK_FALSE(route_of(settings, "plain").shadow.has_value());
  const gateway::ShadowSettings& shadow = *route_of(settings, "copied").shadow;
  CHECK(shadow.share == 500);
  CHECK(shadow.control_share == 100);
  CHECK(shadow.timeout == milliseconds{3000});
  CHECK(shadow.max_in_flight == 9);
  CHECK(shadow.remove_headers == Texts{"x-c"});
}

TEST_CASE("a shadow of what is not recorded is refused, and so is more body than a core may hold") {
  const auto error_of = [](std::string_view changes) {
    const LoadResult result = load_changed(changes);
    REQUIRE(result.errors.size() == 1);
    const Diagnostic& error = result.errors[0];
    return std::to_string(error.line) + ":" + std::to_string(error.column) + " " + error.code +
           " " + error.message;
  };
  const std::string of_route = error_of(
      "routes:\n"
      "  copied: { match: {}, to: legacy, record: none, shadow: { to: new, percent: 1 } }");
  CHECK(of_route.find("routes.copied.shadow") != std::string::npos);
  CHECK(of_route.find("record: none") != std::string::npos);
  const std::string of_defaults = error_of(
      "defaults: { record: none }\n"
      "routes:\n"
      "  plain: { match: { path: /plain }, to: legacy }\n"
      "  copied: { match: {}, to: legacy, shadow: { to: new, percent: 1 } }");
  CHECK(of_defaults.find("routes.copied.shadow") != std::string::npos);
  const std::string of_body = error_of(
      "routes:\n"
      "  copied: { match: {}, to: legacy, shadow: { to: new, percent: 1, max_body: 9MiB } }");
  CHECK(of_body.find("max_body must be between 0B and 8MiB") != std::string::npos);
}

TEST_CASE("every rule of comparing arrives") {
  const Settings settings = settings_of(R"(
routes:
  all:
    match: {}
    to: legacy
    shadow: { to: new, percent: 100 }
    compare:
      ignore_headers: [X-Build]
      ignore_json: [$.generated_at, "$..['request id']"]
      json:
        - { path: "$.items", array: "by: $.id" }
        - { path: "$.tags", array: set }
        - { path: "$..total", tolerance: 1e-9 }
        - { path: $.price, tolerance: 0.01, array: ordered }
        - { path: $.id, ignore: uuid }
        - { path: $.at, ignore: timestamp }
        - { path: $.ref, ignore: "[A-Z]{2}-[0-9]*" }
        - { path: $.any, ignore: ".*" }
      min_pairs: 50
)");
  const compare::RouteRules& rules = route_of(settings, "all").compare;
  CHECK(rules.ignore_headers == Texts{"X-Build"});
  CHECK(rules.ignore_json == Texts{"$.generated_at", "$..['request id']"});
  CHECK(rules.min_pairs == 50);
  REQUIRE(rules.json.size() == 8);
  CHECK(rules.json[0].array == ArrayPolicy::by_key);
  CHECK(rules.json[0].array_key == "$.id");
  CHECK(rules.json[1].path == "$.tags");
  CHECK(rules.json[1].array == ArrayPolicy::set);
  CHECK(rules.json[2].tolerance == 1e-9);
  CHECK(rules.json[3].tolerance == 0.01);
  CHECK(rules.json[3].array == ArrayPolicy::ordered);
  CHECK(rules.json[4].ignore == IgnoredType::uuid);
  CHECK(rules.json[5].ignore == IgnoredType::timestamp);
  CHECK(rules.json[6].ignore == IgnoredType::pattern);
  CHECK(rules.json[6].pattern == "[A-Z]{2}-[0-9]*");
  CHECK(rules.json[7].pattern == ".*");
}

TEST_CASE("rules of comparing add to those of defaults, and of one path the route's key counts") {
  const Settings settings = settings_of(R"(
defaults:
  record: { redact: {} }
  compare:
    ignore_headers: [x-a]
    ignore_json: [$.a]
    json: [{ path: $.list, array: set, tolerance: 0.5 }, { path: $.id, ignore: uuid }]
    min_pairs: 10
routes:
  plain: { match: { path: /plain }, to: legacy }
  own:
    match: {}
    to: legacy
    compare:
      ignore_headers: [x-b]
      ignore_json: [$.b]
      json: [{ path: $.list, array: "by: $.id" }, { path: $.id, ignore: "[0-9]+" }]
      min_pairs: 20
)");
  const compare::RouteRules& plain = route_of(settings, "plain").compare;
  CHECK(plain.ignore_headers == Texts{"x-a"});
  CHECK(plain.json.size() == 2);
  CHECK(plain.min_pairs == 10);
  const compare::RouteRules& own = route_of(settings, "own").compare;
  CHECK(own.ignore_headers == Texts{"x-a", "x-b"});
  CHECK(own.ignore_json == Texts{"$.a", "$.b"});
  CHECK(own.min_pairs == 20);
  REQUIRE(own.json.size() == 2);
  CHECK(own.json[0].array == ArrayPolicy::by_key);
  CHECK(own.json[0].array_key == "$.id");
  CHECK(own.json[0].tolerance == 0.5);
  CHECK(own.json[1].ignore == IgnoredType::pattern);
  CHECK(own.json[1].pattern == "[0-9]+");
}

TEST_CASE("tests say where a copy goes, with a key where the split decides") {
  const std::string_view routes = R"(
routes:
  all:
    match: {}
    split: { legacy: 0, new: 100 }
    sticky: { key: cookie:uid, missing: legacy }
    shadow: { to: other, percent: 1 }
)";
  settings_of(
      std::string(routes).append("tests:\n"
                                 "  - { request: GET /, backend: legacy, shadow: new }\n"
                                 "  - { request: GET /, key: anna, backend: new, shadow: legacy }\n"
                                 "  - { request: POST /, key: anna, shadow: none }\n"));
}

}  // namespace
}  // namespace segue::config
