#include "gateway/upstream/endpoint_choice.hpp"

#include <algorithm>

namespace segue::gateway {

using runtime::MonotonicNs;
using Admission = EndpointHealth::Admission;

namespace {

bool is_among(Avoided avoid, const Endpoint& endpoint) noexcept {
  return std::ranges::find(avoid, &endpoint) != avoid.end();
}

}  // namespace

EndpointChoice::EndpointChoice(const BackendSettings& settings, const Endpoints& endpoints,
                               std::size_t max_under_way, Verdicts verdicts, unsigned seed)
    : settings_(settings),
      endpoints_(endpoints),
      max_under_way_(max_under_way),
      verdicts_(verdicts),
      turn_(seed % endpoints.size()),
      random_(seed + 1) {
  fitting_.reserve(endpoints.size());
}

EndpointChoice::Choice EndpointChoice::next(Avoided avoid, MonotonicNs now) noexcept {
  if (endpoints_.size() == 1) {
    Endpoint& only = *endpoints_.front();
    if (!has_room(only)) return {};
    const Admission admitted = admit(only, now);
    // There is no other one, so that who is refused goes there all the same.
    if (admitted == Admission::refused) return {&only, Admission::ordinary, true};
    return {&only, admitted, false};
  }
  const auto fits = [&](const Endpoint& endpoint) {
    return !is_among(avoid, endpoint) && has_room(endpoint) && endpoint.health.available(now);
  };
  while (Endpoint* endpoint = pick(fits)) {
    // Refused: another core has begun a trial of it, and it is not available any more.
    const Admission admitted = admit(*endpoint, now);
    if (admitted != Admission::refused) return {endpoint, admitted, false};
  }
  return last_resort(avoid, now);
}

Admission EndpointChoice::admit(Endpoint& endpoint, MonotonicNs now) noexcept {
  if (verdicts_ == Verdicts::given) return endpoint.health.admit(now, settings_.ejection);
  return endpoint.health.available(now) ? Admission::ordinary : Admission::refused;
}

EndpointChoice::Choice EndpointChoice::last_resort(Avoided avoid,
                                                   MonotonicNs now) noexcept {
  bool avoided = false;
  for (const auto& endpoint : endpoints_) {
    if (!endpoint->health.available(now)) continue;
    if (!is_among(avoid, *endpoint)) return {};  // it is worth waiting for
    avoided = true;
  }
  if (avoided) {
    Endpoint* again =
        pick([&](const Endpoint& each) { return has_room(each) && each.health.available(now); });
    return {again, Admission::ordinary, false};
  }
  Endpoint* any =
      pick([&](const Endpoint& each) { return !is_among(avoid, each) && has_room(each); });
  if (any == nullptr) any = pick([&](const Endpoint& each) { return has_room(each); });
  return {any, Admission::ordinary, true};
}

template <class Fits>
Endpoint* EndpointChoice::pick(Fits fits) noexcept {
  return settings_.balance == Balance::least_requests ? least_of_two(fits) : in_turn(fits);
}

// The one that was passed over has no turn to make up for: its neighbour does not get it twice.
template <class Fits>
Endpoint* EndpointChoice::in_turn(Fits fits) noexcept {
  const std::size_t count = endpoints_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Endpoint& endpoint = *endpoints_[turn_];
    if (++turn_ == count) turn_ = 0;
    if (fits(endpoint)) return &endpoint;
  }
  return nullptr;
}

// M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001).
template <class Fits>
Endpoint* EndpointChoice::least_of_two(Fits fits) noexcept {
  const auto two_of = [this](const auto& all) {
    const std::size_t one = below(all.size());
    std::size_t other = below(all.size() - 1);
    if (other >= one) ++other;
    return std::pair<Endpoint*, Endpoint*>(&*all[one], &*all[other]);
  };
  const auto lesser = [](const std::pair<Endpoint*, Endpoint*>& two) {
    return two.second->under_way() < two.first->under_way() ? two.second : two.first;
  };
  const auto first = two_of(endpoints_);
  if (fits(*first.first) && fits(*first.second)) return lesser(first);
  // Two at random of those that are left.
  fitting_.clear();
  for (const auto& endpoint : endpoints_)
    if (fits(*endpoint)) fitting_.push_back(endpoint.get());
  if (fitting_.size() < 2) return fitting_.empty() ? nullptr : fitting_.front();
  return lesser(two_of(fitting_));
}

std::size_t EndpointChoice::below(std::size_t bound) noexcept {
  constexpr std::uint64_t kRange = std::minstd_rand::max() - std::minstd_rand::min() + 1;
  return static_cast<std::size_t>((random_() - std::minstd_rand::min()) * bound / kRange);
}

}  // namespace segue::gateway
