// Keys that take too much, partitions that get too much, topics that take too little.

#include "recorder/publisher/hot_keys.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <random>
#include <set>

#include "recorder/publisher/flight.hpp"
#include "recorder/publisher/skew.hpp"
#include "recorder/publisher/topic_limits.hpp"
#include "tests/recorder/journal_fixture.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;

std::string key_number(std::uint64_t n) {
  return "account-" + std::to_string(n);
}

TEST_CASE("only a key above its share is spread, over all buckets alike") {
  HotKeys keys({.buckets = 8, .above_percent = 5});
  std::mt19937_64 random(1);
  std::map<unsigned, std::uint64_t> buckets;
  std::uint64_t spread_others = 0;
  for (std::uint64_t n = 0; n < 100'000; ++n) {
    const bool hot = random() % 10 == 0;  // 10 % of all
    const unsigned bucket =
        keys.bucket_of(hot ? "whale" : key_number(random() % 50'000), id_of(n).raw());
    if (bucket == HotKeys::kNoBucket) continue;
    CHECK(bucket < 8);
    if (hot)
      ++buckets[bucket];
    else
      ++spread_others;
  }
  CHECK(spread_others == 0);
  REQUIRE(buckets.size() == 8);
  std::uint64_t all = 0;
  for (const auto& [bucket, count] : buckets) all += count;
  CHECK(all > 9'000);
  for (const auto& [bucket, count] : buckets) CHECK(count > all / 16);
}

TEST_CASE("a record that is sent again goes to the same bucket") {
  HotKeys keys({.buckets = 8, .above_percent = 5});
  for (std::uint64_t n = 0; n < 5'000; ++n)
    static_cast<void>(keys.bucket_of("whale", id_of(n).raw()));
  for (std::uint64_t n = 0; n < 100; ++n)
    CHECK(keys.bucket_of("whale", id_of(n).raw()) == keys.bucket_of("whale", id_of(n).raw()));
}

TEST_CASE("a hot key cools when others come") {
  HotKeys keys({.buckets = 4, .above_percent = 5});
  for (std::uint64_t n = 0; n < 5'000; ++n)
    static_cast<void>(keys.bucket_of("whale", id_of(n).raw()));
  CHECK(keys.bucket_of("whale", id_of(1).raw()) != HotKeys::kNoBucket);
  for (std::uint64_t n = 0; n < 300'000; ++n)
    static_cast<void>(keys.bucket_of(key_number(n % 1'000), id_of(n).raw()));
  CHECK(keys.bucket_of("whale", id_of(1).raw()) == HotKeys::kNoBucket);
}

TEST_CASE("nothing is hot among the first records") {
  HotKeys keys({.buckets = 4, .above_percent = 5});
  for (std::uint64_t n = 0; n < HotKeys::kTooFew - 1; ++n)
    CHECK(keys.bucket_of("only", id_of(n).raw()) == HotKeys::kNoBucket);
}

TEST_CASE("skew is one when partitions are even and rises with one that is not") {
  PartitionSkew skew;
  CHECK(skew.value(4) == 0);
  for (std::int32_t n = 0; n < 4'000; ++n) skew.delivered(n % 4);
  CHECK(skew.value(4) == 1);
  for (std::int32_t n = 0; n < 4'000; ++n) skew.delivered(2);
  CHECK(skew.value(4) == 2.5);
  for (std::int32_t n = 0; n < 1'000'000; ++n) skew.delivered(n % 4);
  CHECK(skew.value(4) < 1.01);
}

TEST_CASE("a partition without any record counts in the mean") {
  PartitionSkew skew;
  for (std::int32_t n = 0; n < 1'000; ++n) skew.delivered(0);
  CHECK(skew.value(10) == 10);
}

TEST_CASE("a limit that is told counts, one that is not is found by halving") {
  TopicLimits limits(2, std::size_t{1} << 30);
  CHECK(limits.of(0) == TopicLimits::kAssumed);
  limits.learn({{TopicAnswer::Kind::known, 2'000'000}, {TopicAnswer::Kind::untold, 0}});
  CHECK(limits.of(0) == 2'000'000);
  CHECK(limits.of(1) == TopicLimits::kAssumed);
  CHECK(limits.refused(1) == TopicLimits::Halved::yes);
  CHECK(limits.of(1) == TopicLimits::kAssumed / 2);
  CHECK(limits.smallest() == 2'000'000);
  // What was found stays while the topic says the same as before, and goes when it says otherwise.
  CHECK(limits.refused(0) == TopicLimits::Halved::yes);
  limits.learn({{TopicAnswer::Kind::known, 2'000'000}, {TopicAnswer::Kind::untold, 0}});
  CHECK(limits.of(0) == 1'000'000);
  limits.learn({{TopicAnswer::Kind::known, 3'000'000}, {TopicAnswer::Kind::untold, 0}});
  CHECK(limits.of(0) == 3'000'000);
  while (limits.refused(1) == TopicLimits::Halved::yes) {
  }
  CHECK(limits.of(1) == TopicLimits::kSmallest);
}

TEST_CASE("flights stay within their budget, but one larger than all of it may fly alone") {
  Flights flights(3, 1'000);
  Flight* const large = flights.take_off({0, 0, 1, 5'000, 0});
  CHECK_FALSE(flights.has_room(1));
  flights.land(large);
  CHECK(flights.empty());
  CHECK(flights.bytes() == 0);
  flights.take_off({0, 0, 1, 400, 0});
  flights.take_off({0, 0, 2, 400, 0});
  CHECK_FALSE(flights.has_room(400));
  CHECK(flights.has_room(200));
  flights.take_off({0, 0, 3, 200, 0});
  CHECK_FALSE(flights.has_room(0));
  std::set<std::uint64_t> lost;
  flights.clear([&](const Flight& flight) { lost.insert(flight.lane_sequence); });
  CHECK(lost == std::set<std::uint64_t>{1, 2, 3});
  CHECK(flights.empty());
}

}  // namespace
}  // namespace segue::recorder
