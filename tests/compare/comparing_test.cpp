#include "compare/comparing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <random>

#include "tests/compare/shop.hpp"

namespace segue::compare {
namespace {

using namespace test;

std::unique_ptr<Comparing> comparing_of(ComparingSettings settings = {}) {
  Comparing::Made made = Comparing::make(std::move(settings));
  INFO(made.problem);
  REQUIRE(made.comparing != nullptr);
  return std::move(made.comparing);
}

Report report_of(std::vector<v1::Exchange> exchanges, const ComparingSettings& settings = {}) {
  const auto comparing = comparing_of(settings);
  for (v1::Exchange& exchange : exchanges) comparing->add(std::move(exchange));
  return comparing->report();
}

std::string text_of(const Share& share) {
  return fmt::format("{}/{}", share.count, share.of);
}

// All of it.
std::string text_of(const Report& report) {
  std::string text = fmt::format("{} {} {} {}\n", report.unpaired_primaries, report.unpaired_others,
                                 report.from, report.until);
  const auto to = std::back_inserter(text);
  for (const auto& [reason, count] : report.not_shadowed)
    fmt::format_to(to, "{} {}\n", reason, count);
  for (const RouteReport& route : report.routes) {
    fmt::format_to(to, "{} {} {} {} {} {} {} {} {}\n", route.route, route.pairs, route.controls,
                   route.same, route.noise_only, route.different, route.credentials, route.enough,
                   text_of(route.match));
    for (const auto& [reason, count] : route.incomparable)
      fmt::format_to(to, "{} {}\n", reason, count);
    for (const Latency& latency : {route.primary, route.shadow})
      fmt::format_to(to, "{} {} {} {}\n", latency.count, latency.p50, latency.p95, latency.p99);
    for (const FieldReport& field : route.fields) {
      fmt::format_to(to, "{} {} {} {} {} {}\n", name_of(field.part), field.field,
                     name_of(field.kind), name_of(field.judgement), text_of(field.raw),
                     text_of(field.noise));
      for (const Example& example : field.examples)
        fmt::format_to(to, "  {} {} {} {} {}\n", example.primary, example.other, example.path,
                       example.left, example.right);
    }
  }
  return text;
}

std::vector<std::string> findings_of(const RouteReport& route) {
  std::vector<std::string> findings;
  for (const FieldReport& field : route.fields)
    if (field.judgement == Judgement::finding)
      findings.push_back(
          fmt::format("{} {} {}", name_of(field.part), field.field, name_of(field.kind)));
  std::ranges::sort(findings);
  return findings;
}

Report shop_against(Shop::Flaw flaw, std::uint64_t control_every = 50) {
  Shop shop(1);
  Shop other(2, flaw);
  return report_of(families(0, 10'000, shop, other, control_every));
}

TEST_CASE("exchanges in any order give the same report") {
  Shop shop(3);
  Shop other(4, Shop::Flaw::price);
  std::vector<v1::Exchange> exchanges = families(0, 600, shop, other, 5);
  for (std::uint64_t n = 0; n < 20; ++n) {
    v1::Exchange skipped = primary(10'000 + n);
    skipped.mutable_decision()->set_shadow("skipped_sampling");
    exchanges.push_back(std::move(skipped));
    exchanges.push_back(primary(20'000 + n));  // without a shadow
    exchanges.push_back(shadow(30'000 + n));   // without a primary
    exchanges.push_back(primary(40'000 + n, {}, "other"));
    exchanges.push_back(shadow(40'000 + n, {.status = 500}, "other"));
    exchanges.push_back(primary(50'000 + n));
    v1::Exchange silent = shadow(50'000 + n);
    silent.clear_response();
    silent.set_outcome(v1::OUTCOME_UPSTREAM_TIMEOUT);
    exchanges.push_back(std::move(silent));
  }
  const std::string expected = text_of(report_of(exchanges));
  std::mt19937_64 random(5);
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(exchanges, random);
    CHECK(text_of(report_of(exchanges)) == expected);
  }
}

TEST_CASE("two backends of the same code have no findings in 10,000 pairs, however noisy") {
  const Report report = shop_against(Shop::Flaw::none);
  REQUIRE(report.routes.size() == 1);
  const RouteReport& route = report.routes[0];
  CHECK(findings_of(route).empty());
  CHECK(report.findings() == 0);
  CHECK(route.pairs == 10'000);
  CHECK(route.controls == 200);
  CHECK(std::ranges::count(route.fields, Judgement::noise, &FieldReport::judgement) >= 4);
  CHECK(route.match.value() > 0.9);
  // With more controls all six are known as noise: an offer comes and goes.
  const RouteReport better = shop_against(Shop::Flaw::none, 10).routes.at(0);
  CHECK(std::ranges::count(better.fields, Judgement::noise, &FieldReport::judgement) == 6);
  CHECK(better.match.value() == 1);
}

TEST_CASE("planted differences are found, each under its field, and the noise is not") {
  CHECK(findings_of(shop_against(Shop::Flaw::price).routes.at(0)) ==
        std::vector<std::string>{"body $.product.price value"});
  CHECK(findings_of(shop_against(Shop::Flaw::type).routes.at(0)) ==
        std::vector<std::string>{"body $.id type"});
  // One in a hundred is beyond 200 controls; 1,000 can tell.
  CHECK(findings_of(shop_against(Shop::Flaw::forgotten).routes.at(0)).empty());
  CHECK(findings_of(shop_against(Shop::Flaw::forgotten, 10).routes.at(0)) ==
        std::vector<std::string>{"body $.product.currency missing"});
}

TEST_CASE("without controls noise is taken for findings, and the report can tell") {
  const Report report = shop_against(Shop::Flaw::none, 1'000'000'000);
  const RouteReport& route = report.routes.at(0);
  CHECK(route.controls <= 1);
  CHECK_FALSE(findings_of(report_of([] {
                            Shop shop(1);
                            Shop other(2);
                            return families(1, 1'000, shop, other, 1'000'000'000);
                          }())
                              .routes.at(0))
                  .empty());
}

TEST_CASE("each route is compared by its own rules") {
  const Answer one{.body = "{\"a\":1}"};
  const Answer two{.body = "{\"a\":2}"};
  std::vector<v1::Exchange> exchanges;
  for (std::uint64_t n = 0; n < 10; ++n) {
    const char* const route = n % 2 == 0 ? "lax" : "strict";
    exchanges.push_back(primary(n, one, route));
    exchanges.push_back(shadow(n, two, route));
  }
  ComparingSettings settings;
  settings.routes["lax"].ignore_json = {"$.a"};
  settings.routes["lax"].min_pairs = 3;
  settings.otherwise.min_pairs = 4;
  const Report report = report_of(exchanges, settings);
  REQUIRE(report.routes.size() == 2);
  CHECK(report.routes[0].route == "lax");
  CHECK(report.routes[0].same == 5);
  CHECK(report.routes[0].min_pairs == 3);
  CHECK(report.routes[1].route == "strict");
  CHECK(report.routes[1].findings() == 1);
  CHECK(report.routes[1].min_pairs == 4);
  CHECK(report.pairs() == 10);
}

TEST_CASE("a route that pairs are expected of is in the report without any") {
  ComparingSettings settings;
  settings.routes["quiet"].min_pairs = 7;
  settings.routes["shadowless"].min_pairs = 9;
  settings.expected = {"quiet", kRoute};
  const Report report = report_of({primary(1), shadow(1)}, settings);
  REQUIRE(report.routes.size() == 2);
  CHECK(report.routes[0].route == "quiet");
  CHECK(report.routes[0].pairs == 0);
  CHECK(report.routes[0].min_pairs == 7);
  CHECK_FALSE(report.routes[0].enough);
  CHECK(report.routes[1].route == kRoute);
  CHECK(report.routes[1].pairs == 1);
}

TEST_CASE("once a stop is requested, pairs are not compared any more") {
  std::stop_source stop;
  const auto comparing = comparing_of({.stop = stop.get_token()});
  stop.request_stop();
  comparing->add(primary(1, {.body = "{\"a\":1}"}));
  comparing->add(shadow(1, {.body = "{\"a\":2}"}));
  CHECK(comparing->report().routes.at(0).incomparable ==
        std::map<std::string, std::uint64_t>{{"stopped", 1}});
}

TEST_CASE("a rule that is none is refused with its route") {
  ComparingSettings settings;
  settings.routes["search-read"].ignore_json = {"a.b"};
  const Comparing::Made made = Comparing::make(settings);
  CHECK(made.comparing == nullptr);
  CHECK(made.problem.starts_with("route search-read: compare.ignore_json[0]"));
  settings = {};
  settings.otherwise.ignore_json = {"a.b"};
  CHECK(Comparing::make(settings).comparing == nullptr);
}

TEST_CASE("more routes than can be told apart are counted under one name") {
  const auto comparing = comparing_of();
  const std::uint64_t count = Comparing::kMostRoutes + 20;
  for (std::uint64_t n = 0; n < count; ++n) {
    const std::string route = fmt::format("route-{:05}", n);
    comparing->add(primary(n, {}, route));
    comparing->add(shadow(n, {}, route));
  }
  const Report report = comparing->report();
  CHECK(report.pairs() == count);
  CHECK(report.routes.size() == Comparing::kMostRoutes + 1);
  CHECK(report.routes[0].route == Comparing::kOtherRoutes);
  CHECK(report.routes[0].pairs == 20);
  CHECK(comparing->pairs() == count);
}

TEST_CASE("each pair is told as it comes, controls too") {
  const auto comparing = comparing_of();
  std::vector<std::string> told;
  comparing->on_compared([&](const Comparing::Compared& one) {
    told.push_back(fmt::format("{} {} {}", one.route, v1::Kind_Name(one.pair.other.kind()),
                               name_of(one.standing)));
  });
  comparing->add(primary(1, {.status = 200}));
  comparing->add(shadow(1, {.status = 500}));
  comparing->add(control(1));
  comparing->add(primary(2));
  CHECK(comparing->waiting() == 1);
  comparing->add(shadow(2));
  CHECK(told == std::vector<std::string>{"search-read KIND_SHADOW different",
                                         "search-read KIND_CONTROL same",
                                         "search-read KIND_SHADOW same"});
  CHECK(comparing->pairs() == 2);
  CHECK(comparing->findings() == std::map<std::string, std::uint64_t>{{kRoute, 0}});
}

TEST_CASE("primaries that were not shadowed are counted by their reason") {
  const auto comparing = comparing_of();
  for (const char* reason :
       {"", "sent", "skipped_sampling", "skipped_sampling", "skipped_method"}) {
    v1::Exchange exchange = primary(1);
    exchange.mutable_decision()->set_shadow(reason);
    comparing->add(std::move(exchange));
  }
  CHECK(comparing->report().not_shadowed ==
        std::map<std::string, std::uint64_t>{{"skipped_method", 1}, {"skipped_sampling", 2}});
  CHECK(comparing->report().unpaired_primaries == 1);
}

TEST_CASE("the report knows from when to when the primaries are") {
  CHECK(report_of({}).from == 0);
  const Report report = report_of({primary(7), shadow(7), primary(3), shadow(3), primary(9)});
  CHECK(report.from == primary(3).created_at());
  CHECK(report.until == primary(7).created_at());
}

}  // namespace
}  // namespace segue::compare
