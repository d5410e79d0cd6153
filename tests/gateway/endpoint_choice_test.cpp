#include "gateway/upstream/endpoint_choice.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>

#include "gateway/upstream/endpoint_fleet.hpp"

namespace segue::gateway {
namespace {

using runtime::MonotonicNs;

constexpr MonotonicNs kNow = 1'000'000'000'000;
constexpr std::size_t kRoom = 4;  // requests for each endpoint

BackendSettings backend_of(std::size_t count, Balance balance) {
  BackendSettings backend;
  for (std::size_t i = 0; i < count; ++i)
    backend.endpoints.push_back({"127.0.0.1", static_cast<std::uint16_t>(8000 + i), {}});
  backend.balance = balance;
  backend.ejection.after = 1;
  return backend;
}

// Endpoints of a backend and the choice between them; nobody listens there.
struct Pool {
  explicit Pool(std::size_t count, Balance balance = Balance::round_robin,
                Verdicts verdicts = Verdicts::given)
      : settings(backend_of(count, balance)), health({settings}) {
    for (std::size_t i = 0; i < count; ++i)
      endpoints.push_back(
          std::make_unique<Endpoint>(settings.endpoints[i], health.of(0, i), nullptr));
    choice = std::make_unique<EndpointChoice>(settings, endpoints, kRoom, verdicts, 0);
  }
  // Its index, as many as there are endpoints when there is none.
  std::size_t next(const std::vector<const Endpoint*>& avoid = {}, MonotonicNs now = kNow) {
    last = choice->next(avoid, now);
    std::size_t i = 0;
    while (i < endpoints.size() && endpoints[i].get() != last.endpoint) ++i;
    return i;
  }
  void eject(std::size_t i) {
    health.of(0, i).failed(kNow, settings.ejection, EndpointHealth::Admission::ordinary);
  }
  void fill(std::size_t i) { endpoints[i]->open = kRoom; }

  BackendSettings settings;
  FleetHealth health;
  EndpointChoice::Endpoints endpoints;
  std::unique_ptr<EndpointChoice> choice;
  EndpointChoice::Choice last;
};

std::vector<int> spread(Pool& pool, int requests) {
  std::vector<int> counts(pool.endpoints.size() + 1);
  for (int i = 0; i < requests; ++i) ++counts[pool.next()];
  return counts;
}

TEST_CASE("endpoints take turns") {
  Pool pool(3);
  CHECK(spread(pool, 300) == std::vector{100, 100, 100, 0});
}

TEST_CASE("the turn of an ejected endpoint does not go to its neighbour") {
  Pool pool(3);
  pool.eject(1);
  CHECK(spread(pool, 300) == std::vector{150, 0, 150, 0});
}

TEST_CASE("an endpoint at its limit is passed over, and when all are there is none") {
  Pool pool(3);
  pool.fill(0);
  CHECK(spread(pool, 100) == std::vector{0, 50, 50, 0});
  pool.fill(1);
  pool.fill(2);
  CHECK(pool.next() == 3);
}

TEST_CASE("a full endpoint is waited for rather than that an ejected one is tried") {
  Pool pool(2);
  pool.eject(1);
  pool.fill(0);
  CHECK(pool.next() == 2);
}

TEST_CASE("the endpoint to avoid is chosen only when no other one is available") {
  Pool pool(3);
  const Endpoint* const failed = pool.endpoints[0].get();
  for (int i = 0; i < 10; ++i) CHECK(pool.next({failed}) != 0);
  pool.eject(1);
  for (int i = 0; i < 10; ++i) CHECK(pool.next({failed}) == 2);
  pool.eject(2);
  CHECK(pool.next({failed}) == 0);
  CHECK_FALSE(pool.last.none_available);
}

TEST_CASE("all that failed a request are avoided while one is left") {
  const Balance balance = GENERATE(Balance::round_robin, Balance::least_requests);
  Pool pool(3, balance);
  const std::vector<const Endpoint*> failed{pool.endpoints[0].get(), pool.endpoints[2].get()};
  for (int i = 0; i < 10; ++i) CHECK(pool.next(failed) == 1);
  pool.fill(1);
  CHECK(pool.next(failed) == 3);  // it is waited for
  pool.eject(1);
  for (int i = 0; i < 10; ++i) CHECK(pool.next(failed) % 2 == 0);
  CHECK_FALSE(pool.last.none_available);
}

TEST_CASE("when no endpoint is available all are tried, but the one to avoid") {
  Pool pool(3);
  for (std::size_t i = 0; i < 3; ++i) pool.eject(i);
  CHECK(spread(pool, 300) == std::vector{100, 100, 100, 0});
  CHECK(pool.last.none_available);
  for (int i = 0; i < 10; ++i) CHECK(pool.next({pool.endpoints[2].get()}) != 2);
}

TEST_CASE("the only endpoint gets every request that it has room for") {
  Pool pool(1);
  CHECK(pool.next() == 0);
  CHECK_FALSE(pool.last.none_available);
  pool.eject(0);
  CHECK(pool.next({pool.endpoints[0].get()}) == 0);
  CHECK(pool.last.none_available);
  pool.fill(0);
  CHECK(pool.next() == 1);
}

TEST_CASE("the only endpoint, too, has one request on trial, and the others know that it is one") {
  Pool pool(1);
  pool.eject(0);
  const MonotonicNs later = runtime::after(kNow, pool.settings.ejection.base);
  CHECK(pool.next({}, later) == 0);
  CHECK(pool.last.admitted == EndpointHealth::Admission::trial);
  CHECK_FALSE(pool.last.none_available);
  CHECK_FALSE(pool.health.of(0, 0).available(later));  // who has a fallback goes there
  CHECK(pool.next({}, later) == 0);
  CHECK(pool.last.admitted == EndpointHealth::Admission::ordinary);
  CHECK(pool.last.none_available);
  pool.endpoints[0]->health.answered();
  CHECK(pool.next({}, later) == 0);
  CHECK_FALSE(pool.last.none_available);
}

TEST_CASE("a copy of a request is not the trial of an only endpoint, either") {
  Pool pool(1, Balance::round_robin, Verdicts::heard);
  pool.eject(0);
  const MonotonicNs later = runtime::after(kNow, pool.settings.ejection.base);
  for (int i = 0; i < 10; ++i) CHECK(pool.next({}, later) == 0);
  CHECK(pool.health.of(0, 0).available(later));
}

TEST_CASE("an endpoint whose time is over gets one request until that is answered") {
  Pool pool(2);
  pool.eject(1);
  const MonotonicNs later = runtime::after(kNow, pool.settings.ejection.base);
  int trials = 0;
  for (int i = 0; i < 10; ++i) {
    if (pool.next({}, later) != 1) continue;
    ++trials;
    CHECK(pool.last.admitted == EndpointHealth::Admission::trial);
  }
  CHECK(trials == 1);
  pool.endpoints[1]->health.answered();
  CHECK(spread(pool, 100) == std::vector{50, 50, 0});
}

TEST_CASE("a copy of a request is never the trial of an endpoint") {
  Pool pool(2, Balance::round_robin, Verdicts::heard);
  pool.eject(1);
  const MonotonicNs later = runtime::after(kNow, pool.settings.ejection.base);
  for (int i = 0; i < 10; ++i) pool.next({}, later);
  CHECK(pool.health.of(0, 1).available(later));
}

// Nobody is done: requests pile up, and the fullest has hardly more than the emptiest. With blind
// chance the difference would be about four times the square root of the mean.
TEST_CASE("of two endpoints picked at random the one with fewer requests gets the next") {
  Pool pool(10, Balance::least_requests);
  EndpointChoice choice(pool.settings, pool.endpoints, 100'000, Verdicts::given, 7);
  for (int i = 0; i < 10'000; ++i) ++choice.next({}, kNow).endpoint->open;
  for (const auto& endpoint : pool.endpoints) {
    CHECK(endpoint->open > 990);
    CHECK(endpoint->open < 1010);
  }
}

TEST_CASE("least requests: the busiest of all gets none, idle ones get the same share") {
  Pool pool(4, Balance::least_requests);
  pool.endpoints[2]->open = 1;
  const std::vector<int> counts = spread(pool, 30'000);
  CHECK(counts[2] == 0);
  for (const std::size_t i : {0, 1, 3}) CHECK(std::abs(counts[i] - 10'000) < 600);
}

TEST_CASE("least requests: with one ejected and one full the others share evenly") {
  Pool pool(4, Balance::least_requests);
  pool.eject(0);
  pool.fill(1);
  const std::vector<int> counts = spread(pool, 20'000);
  CHECK(counts[0] + counts[1] + counts[4] == 0);
  CHECK(std::abs(counts[2] - 10'000) < 500);
}

TEST_CASE("a pooled connection that waits is no request under way") {
  Pool pool(2, Balance::least_requests);
  Endpoint& pooled = *pool.endpoints[0];
  pooled.open = 3;
  for (int i = 0; i < 3; ++i) pooled.idle.push_back(nullptr);
  pool.endpoints[1]->open = 1;
  for (int i = 0; i < 10; ++i) CHECK(pool.next() == 0);
}

}  // namespace
}  // namespace segue::gateway
