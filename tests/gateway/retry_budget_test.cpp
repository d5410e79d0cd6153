#include "gateway/upstream/retry_budget.hpp"

#include <catch2/catch_test_macros.hpp>

namespace segue::gateway {
namespace {

constexpr std::uint16_t kTenPercent = 1'000;
constexpr runtime::MonotonicNs kRefill =
    std::chrono::nanoseconds(RetryBudget::kRefill).count();
constexpr runtime::MonotonicNs kNow = 1'000 * kRefill;

// How many retries the budget allows right now.
int left(RetryBudget& budget, runtime::MonotonicNs now) {
  int count = 0;
  while (budget.spend(now)) ++count;
  return count;
}

TEST_CASE("a budget that nothing was earned for allows a few retries, then none") {
  RetryBudget budget(kTenPercent);
  CHECK(left(budget, kNow) == RetryBudget::kFloor);
  CHECK_FALSE(budget.spend(kNow));
}

TEST_CASE("ten requests earn a retry at ten percent") {
  RetryBudget budget(kTenPercent);
  left(budget, kNow);
  for (int i = 0; i < 9; ++i) budget.earn();
  CHECK_FALSE(budget.spend(kNow));
  budget.earn();
  CHECK(left(budget, kNow) == 1);
}

TEST_CASE("what a busy day earns is saved up to a limit") {
  RetryBudget budget(kTenPercent);
  for (int i = 0; i < 1'000'000; ++i) budget.earn();
  CHECK(left(budget, kNow) == RetryBudget::kMostSaved);
}

TEST_CASE("a quiet service gets a retry now and then, and never more than a few at once") {
  RetryBudget budget(0);
  left(budget, kNow);
  CHECK(left(budget, kNow + kRefill - 1) == 0);
  CHECK(left(budget, kNow + kRefill) == 1);
  CHECK(left(budget, kNow + 3 * kRefill) == 2);
  CHECK(left(budget, kNow + 100'000 * kRefill) == RetryBudget::kFloor);
}

TEST_CASE("time takes nothing of what was earned") {
  RetryBudget budget(kTenPercent);
  for (int i = 0; i < 500; ++i) budget.earn();
  CHECK(left(budget, kNow + 100 * kRefill) == RetryBudget::kFloor + 50);
}

}  // namespace
}  // namespace segue::gateway
