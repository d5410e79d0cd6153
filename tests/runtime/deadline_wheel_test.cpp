#include "runtime/deadline_wheel.hpp"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>
#include <vector>

namespace segue::runtime {
namespace {

constexpr MonotonicNs kMs = 1'000'000;

struct Alarm {
  explicit Alarm(DeadlineWheel& wheel)
      : deadline(wheel, [](void* self) { ++static_cast<Alarm*>(self)->fired; }, this) {}
  int fired = 0;
  Deadline deadline;
};

TEST_CASE("a deadline fires once, not before its time, and at most a tick late") {
  DeadlineWheel wheel(0);
  Alarm alarm(wheel);
  alarm.deadline.arm(95 * kMs);
  wheel.advance(94 * kMs);
  CHECK(alarm.fired == 0);
  wheel.advance(105 * kMs);
  CHECK(alarm.fired == 1);
  CHECK_FALSE(alarm.deadline.armed());
  wheel.advance(1000 * kMs);
  CHECK(alarm.fired == 1);
  CHECK_FALSE(wheel.any());
}

TEST_CASE("a deadline that is moved on fires at its last time only") {
  DeadlineWheel wheel(0);
  Alarm alarm(wheel);
  alarm.deadline.arm(50 * kMs);
  alarm.deadline.arm(500 * kMs);
  wheel.advance(400 * kMs);
  CHECK(alarm.fired == 0);
  wheel.advance(510 * kMs);
  CHECK(alarm.fired == 1);
}

TEST_CASE("a deadline that is moved forward fires at the earlier time") {
  DeadlineWheel wheel(0);
  Alarm alarm(wheel);
  alarm.deadline.arm(5000 * kMs);
  alarm.deadline.arm(50 * kMs);
  wheel.advance(60 * kMs);
  CHECK(alarm.fired == 1);
}

TEST_CASE("a disarmed deadline never fires") {
  DeadlineWheel wheel(0);
  Alarm alarm(wheel);
  alarm.deadline.arm(50 * kMs);
  alarm.deadline.disarm();
  wheel.advance(20'000 * kMs);
  CHECK(alarm.fired == 0);
  CHECK_FALSE(wheel.any());
}

TEST_CASE("a deadline beyond the last slot is carried round the wheel") {
  DeadlineWheel wheel(0);
  Alarm alarm(wheel);
  const MonotonicNs hour = 3'600'000 * kMs;
  alarm.deadline.arm(hour);
  for (MonotonicNs now = 0; now < hour; now += 7'000 * kMs) wheel.advance(now);
  CHECK(alarm.fired == 0);
  wheel.advance(hour + 10 * kMs);
  CHECK(alarm.fired == 1);
}

TEST_CASE("after a long pause everything that is due fires") {
  DeadlineWheel wheel(0);
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (MonotonicNs at = 10; at <= 30'000; at += 10) {
    alarms.push_back(std::make_unique<Alarm>(wheel));
    alarms.back()->deadline.arm(at * kMs);
  }
  wheel.advance(60'000 * kMs);
  for (const auto& alarm : alarms) CHECK(alarm->fired == 1);
}

TEST_CASE("a deadline that fires may destroy its neighbours in the slot") {
  DeadlineWheel wheel(0);
  struct Killer {
    explicit Killer(DeadlineWheel& wheel)
        : deadline(wheel, [](void* self) { static_cast<Killer*>(self)->victims.clear(); }, this) {}
    std::vector<std::unique_ptr<Alarm>> victims;
    Deadline deadline;
  };
  Killer killer(wheel);
  for (int i = 0; i < 3; ++i) {
    killer.victims.push_back(std::make_unique<Alarm>(wheel));
    killer.victims.back()->deadline.arm(50 * kMs);
  }
  killer.deadline.arm(50 * kMs);  // linked last: fires first
  wheel.advance(60 * kMs);
  CHECK(killer.victims.empty());
  CHECK_FALSE(wheel.any());
}

TEST_CASE("a random life of many deadlines agrees with a plain list") {
  const unsigned seed = 4711;
  std::mt19937 random(seed);
  INFO("seed " << seed);
  DeadlineWheel wheel(0);
  struct Tracked {
    explicit Tracked(DeadlineWheel& w) : alarm(w) {}
    Alarm alarm;
    MonotonicNs expiry = kNever;
    int expected = 0;
  };
  std::vector<std::unique_ptr<Tracked>> all;
  for (int i = 0; i < 200; ++i) all.push_back(std::make_unique<Tracked>(wheel));
  MonotonicNs now = 0;
  for (int step = 0; step < 20'000; ++step) {
    Tracked& one = *all[random() % all.size()];
    if (random() % 4 == 0) {
      one.alarm.deadline.disarm();
      one.expiry = kNever;
    } else {
      one.expiry = now + static_cast<MonotonicNs>(random() % 30'000) * kMs;
      one.alarm.deadline.arm(one.expiry);
    }
    now += static_cast<MonotonicNs>(random() % 50) * kMs;
    wheel.advance(now);
    // What is due for a whole tick has fired; what is not due has not.
    for (auto& tracked : all) {
      if (tracked->expiry != kNever && tracked->expiry + 2 * DeadlineWheel::kTick <= now) {
        ++tracked->expected;
        tracked->expiry = kNever;
      } else if (tracked->expiry <= now && tracked->alarm.fired > tracked->expected) {
        ++tracked->expected;
        tracked->expiry = kNever;
      }
      REQUIRE(tracked->alarm.fired == tracked->expected);
    }
  }
}

}  // namespace
}  // namespace segue::runtime
