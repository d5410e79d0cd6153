#include "compare/comparing.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "recorder/exchange.pb.h"

namespace segue::compare {
namespace {

constexpr std::size_t kMostReasons = 100;  // of a primary's not being shadowed
constexpr std::string_view kSent = "sent";

struct Route {
  std::unique_ptr<Comparer> comparer;
  RouteTally tally;
};

}  // namespace

struct Comparing::State {
  void note_decision(const v1::Exchange& primary);
  void compare(const Pair& pair);
  std::pair<const std::string, Route>& route_of(const v1::Exchange& primary);
  void note_moment(const v1::Exchange& primary);
  RouteReport without_pairs(const std::string& route) const;

  ComparingSettings settings;
  Pairing pairing;
  std::map<std::string, std::unique_ptr<Comparer>> comparers;  // of settings.routes, until needed
  std::map<std::string, Route, std::less<>> routes;            // that pairs came of
  std::function<void(const Compared&)> told;
  std::map<std::string, std::uint64_t> not_shadowed;
  std::uint64_t pairs = 0;
  std::int64_t from = 0;
  std::int64_t until = 0;
};

Comparing::Comparing(std::unique_ptr<State> state) : state_(std::move(state)) {}
Comparing::~Comparing() = default;

Comparing::Made Comparing::make(ComparingSettings settings) {
  std::map<std::string, std::unique_ptr<Comparer>> comparers;
  for (const auto& [route, rules] : settings.routes) {
    Comparer::Made made = Comparer::make(rules, settings.stop);
    if (!made.comparer) return {nullptr, "route " + route + ": " + made.problem};
    comparers.emplace(route, std::move(made.comparer));
  }
  if (const Comparer::Made made = Comparer::make(settings.otherwise); !made.comparer)
    return {nullptr, made.problem};
  const PairingBounds waiting = settings.waiting;
  auto state = std::unique_ptr<State>(new State{.settings = std::move(settings),
                                                .pairing = Pairing(waiting),
                                                .comparers = std::move(comparers),
                                                .routes = {},
                                                .told = {},
                                                .not_shadowed = {}});
  return {std::unique_ptr<Comparing>(new Comparing(std::move(state))), {}};
}

void Comparing::on_compared(std::function<void(const Compared&)> told) {
  state_->told = std::move(told);
}

void Comparing::add(v1::Exchange&& exchange) {
  if (exchange.kind() == v1::KIND_PRIMARY) state_->note_decision(exchange);
  state_->pairing.add(std::move(exchange));
  while (const auto pair = state_->pairing.next()) state_->compare(*pair);
}

void Comparing::State::note_decision(const v1::Exchange& primary) {
  const std::string& shadow = primary.decision().shadow();
  if (shadow.empty() || shadow == kSent) return;
  if (const auto known = not_shadowed.find(shadow); known != not_shadowed.end())
    ++known->second;
  else if (not_shadowed.size() < kMostReasons)
    not_shadowed.emplace(shadow, 1);
}

std::pair<const std::string, Route>& Comparing::State::route_of(const v1::Exchange& primary) {
  const std::string& name = primary.decision().route();
  if (const auto known = routes.find(name); known != routes.end()) return *known;
  const auto rules = settings.routes.find(name);
  if (rules != settings.routes.end())
    return *routes
                .emplace(name, Route{std::move(comparers.at(name)),
                                     RouteTally(name, rules->second.min_pairs)})
                .first;
  const bool room = routes.size() < kMostRoutes;
  const std::string_view counted = room ? std::string_view(name) : kOtherRoutes;
  if (const auto known = routes.find(counted); known != routes.end()) return *known;
  return *routes
              .emplace(counted, Route{Comparer::make(settings.otherwise, settings.stop).comparer,
                                      RouteTally(counted, settings.otherwise.min_pairs)})
              .first;
}

void Comparing::State::note_moment(const v1::Exchange& primary) {
  from = from == 0 ? primary.created_at() : std::min(from, primary.created_at());
  until = std::max(until, primary.created_at());
}

RouteReport Comparing::State::without_pairs(const std::string& route) const {
  const auto rules = settings.routes.find(route);
  const RouteRules& of_route = rules == settings.routes.end() ? settings.otherwise : rules->second;
  return RouteTally(route, of_route.min_pairs).report();
}

void Comparing::State::compare(const Pair& pair) {
  auto& [name, route] = route_of(*pair.primary);
  const Comparison& comparison = route.comparer->compare(*pair.primary, pair.other);
  route.tally.add(pair, comparison);
  if (pair.other.kind() == v1::KIND_SHADOW) {
    ++pairs;
    note_moment(*pair.primary);
  }
  if (told) told({name, pair, comparison, route.tally.standing(comparison)});
}

Report Comparing::report() const {
  Report report;
  std::set<std::string> names = state_->settings.expected;
  for (const auto& [name, route] : state_->routes) names.insert(name);
  for (const std::string& name : names) {
    const auto known = state_->routes.find(name);
    report.routes.push_back(known == state_->routes.end() ? state_->without_pairs(name)
                                                          : known->second.tally.report());
  }
  const Pairing::Unpaired unpaired = state_->pairing.unpaired();
  report.unpaired_primaries = unpaired.primaries;
  report.unpaired_others = unpaired.others;
  report.not_shadowed = state_->not_shadowed;
  report.from = state_->from;
  report.until = state_->until;
  return report;
}

std::map<std::string, std::uint64_t> Comparing::findings() const {
  std::map<std::string, std::uint64_t> findings;
  for (const auto& [name, route] : state_->routes) findings.emplace(name, route.tally.findings());
  return findings;
}

std::uint64_t Comparing::pairs() const noexcept {
  return state_->pairs;
}
std::size_t Comparing::waiting() const noexcept {
  return state_->pairing.waiting();
}
std::uint64_t Comparing::given_up() const noexcept {
  return state_->pairing.given_up();
}

}  // namespace segue::compare
