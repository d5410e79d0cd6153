#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "gateway/settings.hpp"
#include "gateway/upstream/endpoint.hpp"

namespace segue::gateway {

// Whether what becomes of requests counts for the endpoints' fitness, or is only guided by it.
enum class Verdicts : std::uint8_t { given, heard };

// The endpoints that failed a request before; few.
using Avoided = std::span<const Endpoint* const>;

// Which endpoint of a backend gets the next request of one core. One thread, no allocation.
//
// In this order: one that is available and has room, by `balance`; where none but those to avoid are
// available, one of them; where none is available at all, any that has room, for a try is better
// than a refusal. An endpoint has room while fewer than `max_under_way` requests are there.
class EndpointChoice {
 public:
  using Endpoints = std::vector<std::unique_ptr<Endpoint>>;

  // `settings` and `endpoints` outlive it. `seed`: cores should differ.
  EndpointChoice(const BackendSettings& settings, const Endpoints& endpoints,
                 std::size_t max_under_way, Verdicts verdicts, unsigned seed);

  struct Choice {
    Endpoint* endpoint = nullptr;  // null: those that it may go to have no room
    EndpointHealth::Admission admitted = EndpointHealth::Admission::ordinary;
    bool none_available = false;
  };
  Choice next(Avoided avoid, runtime::MonotonicNs now) noexcept;

 private:
  template <class Fits>
  Endpoint* pick(Fits fits) noexcept;
  template <class Fits>
  Endpoint* in_turn(Fits fits) noexcept;
  template <class Fits>
  Endpoint* least_of_two(Fits fits) noexcept;
  // Begins a trial where one is due, unless verdicts are only heard.
  EndpointHealth::Admission admit(Endpoint& endpoint, runtime::MonotonicNs now) noexcept;
  Choice last_resort(Avoided avoid, runtime::MonotonicNs now) noexcept;
  bool has_room(const Endpoint& endpoint) const noexcept {
    return endpoint.under_way() < max_under_way_;
  }
  std::size_t below(std::size_t bound) noexcept;  // a random number

  const BackendSettings& settings_;
  const Endpoints& endpoints_;
  std::size_t max_under_way_;
  Verdicts verdicts_;
  std::size_t turn_;
  std::minstd_rand random_;
  std::vector<Endpoint*> fitting_;  // memory of least_of_two()
};

}  // namespace segue::gateway
