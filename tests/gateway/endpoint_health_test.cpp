#include "gateway/upstream/endpoint_health.hpp"

#include <catch2/catch_test_macros.hpp>

namespace segue::gateway {
namespace {

using runtime::MonotonicNs;
using Admission = EndpointHealth::Admission;

constexpr EjectionSettings kSettings{.after = 3, .base = milliseconds{1000}, .max = milliseconds{5000}};

constexpr MonotonicNs at(std::int64_t millis) {
  return 1'000'000'000'000 + millis * 1'000'000;
}

void fail(EndpointHealth& health, int times, MonotonicNs now) {
  for (int i = 0; i < times; ++i) health.failed(now, kSettings, Admission::ordinary);
}

TEST_CASE("failures in a row eject an endpoint, an answer in between does not let them add up") {
  EndpointHealth health;
  fail(health, 2, at(0));
  health.answered();
  fail(health, 2, at(0));
  CHECK(health.available(at(0)));
  CHECK(health.failed(at(0), kSettings, Admission::ordinary));
  CHECK_FALSE(health.available(at(999)));
  CHECK(health.available(at(1000)));
  CHECK(health.ejections() == 1);
}

TEST_CASE("requests that were under way when an endpoint was ejected do not prolong it") {
  EndpointHealth health;
  fail(health, 3, at(0));
  fail(health, 20, at(500));
  CHECK(health.available(at(1000)));
  CHECK(health.ejections() == 1);
}

TEST_CASE("one request is the trial of an endpoint whose time is over, the others stay away") {
  EndpointHealth health;
  CHECK(health.admit(at(0), kSettings) == Admission::ordinary);
  fail(health, 3, at(0));
  CHECK(health.admit(at(999), kSettings) == Admission::refused);
  CHECK(health.admit(at(1000), kSettings) == Admission::trial);
  CHECK(health.admit(at(1000), kSettings) == Admission::refused);
  // A trial of which nothing is heard is not the last one.
  CHECK(health.admit(at(2000), kSettings) == Admission::trial);
  health.answered();
  CHECK(health.admit(at(2000), kSettings) == Admission::ordinary);
}

TEST_CASE("each trial that fails doubles the time up to the longest, an answer begins anew") {
  EndpointHealth health;
  fail(health, 3, at(0));
  std::int64_t now = 1000;
  for (const std::int64_t time : {2000, 4000, 5000, 5000}) {
    REQUIRE(health.admit(at(now), kSettings) == Admission::trial);
    CHECK(health.failed(at(now), kSettings, Admission::trial));
    CHECK_FALSE(health.available(at(now + time - 1)));
    now += time;
    CHECK(health.available(at(now)));
  }
  CHECK(health.ejections() == 5);
  health.answered();
  fail(health, 3, at(now));
  CHECK(health.available(at(now + 1000)));
}

TEST_CASE("what an endpoint answers while it is ejected is believed") {
  EndpointHealth health;
  fail(health, 3, at(0));
  health.answered();
  CHECK(health.available(at(1)));
}

TEST_CASE("an endpoint that has no other beside it is ejected again by a failure after its time") {
  EndpointHealth health;
  fail(health, 3, at(0));
  CHECK(health.failed(at(1000), kSettings, Admission::ordinary));
  CHECK_FALSE(health.available(at(2999)));
  CHECK(health.available(at(3000)));
}

TEST_CASE("with `after: 0` nothing is ejected") {
  EndpointHealth health;
  const EjectionSettings never{.after = 0, .base = milliseconds{1000}, .max = milliseconds{5000}};
  for (int i = 0; i < 100; ++i) CHECK_FALSE(health.failed(at(0), never, Admission::ordinary));
  CHECK(health.available(at(0)));
}

TEST_CASE("an endpoint whose checks fail is not admitted, ejected or not") {
  EndpointHealth health;
  health.set_checked(false);
  CHECK(health.admit(at(0), kSettings) == Admission::refused);
  health.answered();
  CHECK_FALSE(health.available(at(0)));
  health.set_checked(true);
  CHECK(health.admit(at(0), kSettings) == Admission::ordinary);
}

}  // namespace
}  // namespace segue::gateway
