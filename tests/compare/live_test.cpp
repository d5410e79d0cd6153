#include "compare/live.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "recorder/journal/journal.hpp"
#include "tests/compare/family.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::compare {
namespace {

using namespace test;
using recorder::FrameKind;
using recorder::Journal;
using recorder::Lane;
using recorder::test::append;
using recorder::test::kKiB;
using recorder::test::small_journal;
using segue::test::Deadline;
using segue::test::TempDir;

constexpr LiveSettings kAll{.share = 10'000, .queue = 1'024};
const Answer kAnswer{.body = "{\"a\":1}"};
const Answer kOther{.body = "{\"a\":2}"};

bool append(Lane& lane, const v1::Exchange& exchange) {
  return append(lane, exchange.SerializeAsString());
}

void append_family(Lane& lane, std::uint64_t n, const Answer& of_shadow = kAnswer) {
  REQUIRE(append(lane, primary(n, kAnswer)));
  REQUIRE(append(lane, shadow(n, of_shadow)));
}

std::map<std::string, RouteRules> routes(std::uint64_t min_pairs = 200) {
  std::map<std::string, RouteRules> routes;
  routes[kRoute].min_pairs = min_pairs;
  return routes;
}

std::uint64_t count_of(const LiveComparison::Status& status, std::string_view result) {
  std::uint64_t sum = 0;
  for (const auto& count : status.counts)
    if (count.result == result) sum += count.count;
  return sum;
}

std::uint64_t compared(const LiveComparison::Status& status) {
  std::uint64_t sum = 0;
  for (const auto& count : status.counts) sum += count.count;
  return sum;
}

// Until the status is as it must become.
LiveComparison::Status wait_for(const LiveComparison& live,
                                const std::function<bool(const LiveComparison::Status&)>& is) {
  const Deadline deadline;
  for (;;) {
    LiveComparison::Status status = live.status();
    if (is(status)) return status;
    if (deadline.left() == 0)
      throw segue::test::TestFailure(
          "the comparison did not come there: " + std::to_string(compared(status)) + " compared, " +
          std::to_string(status.waiting) + " waiting");
    std::this_thread::yield();
  }
}

LiveComparison::Status wait_for_pairs(const LiveComparison& live, std::uint64_t pairs) {
  return wait_for(live, [&](const auto& status) { return compared(status) >= pairs; });
}

TEST_CASE("what is recorded is compared while it is recorded, from the start on") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 2, kKiB);
  append_family(journal.lane(0), 1);
  REQUIRE(append(journal.lane(0), primary(2, kAnswer)));
  LiveComparison live(journal.run(), kAll, routes());
  live.start();
  CHECK(compared(live.status()) == 0);
  REQUIRE(append(journal.lane(0), shadow(2, kOther)));  // its primary was before the start
  for (std::uint64_t n = 10; n < 20; ++n) append_family(journal.lane(n % 2), n);
  for (std::uint64_t n = 20; n < 25; ++n) append_family(journal.lane(0), n, kOther);
  for (std::uint64_t n = 25; n < 27; ++n) append_family(journal.lane(0), n, {.status = 401});
  const auto status = wait_for_pairs(live, 17);
  CHECK(count_of(status, "same") == 10);
  CHECK(count_of(status, "different") == 5);
  CHECK(count_of(status, "credentials") == 2);
  CHECK(status.waiting == 1);
  CHECK(status.gave_up == 0);
  CHECK(status.overwritten == 0);
}

TEST_CASE("every route and result is there from the beginning") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  auto two = routes();
  two["other"] = {};
  const LiveComparison live(journal.run(), kAll, two);
  const auto status = live.status();
  CHECK(status.counts.size() == 10);
  CHECK(status.findings == std::map<std::string, std::uint64_t>{{kRoute, 0}, {"other", 0}});
  CHECK(std::ranges::count(status.counts, "other", &LiveComparison::Count::route) == 5);
}

TEST_CASE("a comparison that never started, or starts and ends at once, ends") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  {
    const LiveComparison live(journal.run(), kAll, routes());
  }
  {
    LiveComparison live(journal.run(), kAll, routes());
    live.start();
  }
}

TEST_CASE("noise is learned from controls, and what is none becomes a finding") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  LiveComparison live(journal.run(), kAll, routes(20));
  live.start();
  Lane& lane = journal.lane(0);
  for (std::uint64_t n = 0; n < 40; ++n) {
    append_family(lane, n, kOther);
    REQUIRE(append(lane, control(n, kOther)));
  }
  const auto noisy = wait_for_pairs(live, 40);
  // Until there were 20 pairs, and 20 controls, it was not known.
  CHECK(count_of(noisy, "different") == 20);
  CHECK(count_of(noisy, "noise") == 20);
  for (std::uint64_t n = 100; n < 160; ++n)
    append_family(lane, n, {.body = "{\"a\":2}", .status = 500});
  const auto broken = wait_for(live, [](const auto& status) {
    return compared(status) == 100 && status.findings.at(kRoute) == 1;
  });
  CHECK(count_of(broken, "different") == 80);
}

TEST_CASE(
    "routes that do not shadow, other kinds, intents and what is no exchange are passed over") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  LiveComparison live(journal.run(), kAll, routes());
  live.start();
  Lane& lane = journal.lane(0);
  REQUIRE(append(lane, primary(1, kAnswer, "unknown")));
  REQUIRE(append(lane, shadow(1, kAnswer, "unknown")));
  v1::Exchange skipped = primary(2);
  skipped.mutable_decision()->set_shadow("skipped_sampling");
  REQUIRE(append(lane, skipped));
  v1::Exchange probe = shadow(3);
  probe.set_kind(v1::KIND_PROBE);
  REQUIRE(append(lane, probe));
  REQUIRE(append(lane, primary(4).SerializeAsString(), FrameKind::intent));
  REQUIRE(append(lane, shadow(5).SerializeAsString(), FrameKind::finish));
  REQUIRE(append(lane, std::string("\xff\xff\xff\xff\xff")));
  append_family(lane, 6);
  const auto status = wait_for_pairs(live, 1);
  CHECK(compared(status) == 1);
  CHECK(status.waiting == 0);
  CHECK(status.overwritten == 0);
}

TEST_CASE("what other processes record in the same folder is theirs to compare") {
  const TempDir dir;
  const auto settings = small_journal(dir.path());
  Journal journal(settings, 1, kKiB);
  Journal neighbour(settings, 1, kKiB);
  LiveComparison live(journal.run(), kAll, routes());
  live.start();
  for (std::uint64_t n = 0; n < 5; ++n) append_family(neighbour.lane(0), n);
  append_family(journal.lane(0), 10);
  CHECK(compared(wait_for_pairs(live, 1)) == 1);
  append_family(journal.lane(0), 11);
  CHECK(compared(wait_for_pairs(live, 2)) == 2);
}

TEST_CASE("a share of the primaries is compared, shadows and controls with theirs") {
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 8'192 * kKiB), 1, kKiB);
  LiveComparison live(journal.run(), {.share = 2'500, .queue = 10'000}, routes());
  live.start();
  for (std::uint64_t n = 0; n < 2'000; ++n) append_family(journal.lane(0), n);
  // Of these some are of the sample, and they come last.
  for (std::uint64_t n = 2'000; n < 2'200; ++n) append_family(journal.lane(0), n, kOther);
  const auto status =
      wait_for(live, [](const auto& one) { return count_of(one, "different") > 0; });
  CHECK(count_of(status, "same") > 400);
  CHECK(count_of(status, "same") < 600);
  CHECK(status.gave_up == 0);
}

TEST_CASE("primaries whose shadow never comes leave the queue, counted") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  LiveComparison live(journal.run(), {.share = 10'000, .queue = 8}, routes());
  live.start();
  for (std::uint64_t n = 0; n < 20; ++n) REQUIRE(append(journal.lane(0), primary(n)));
  append_family(journal.lane(0), 100);
  const auto status = wait_for_pairs(live, 1);
  CHECK(status.gave_up == 13);
  CHECK(status.waiting == 7);
}

TEST_CASE("lanes that append at once lose nothing that a slow comparison does not tell of") {
  const TempDir dir;
  // A ring of a few segments, which two lanes run through many times.
  Journal journal(small_journal(dir.path(), 512 * kKiB, 64 * kKiB), 2, kKiB);
  LiveComparison live(journal.run(), kAll, routes());
  live.start();
  constexpr std::uint64_t kFamilies = 6'000;
  std::vector<std::thread> writers;
  std::atomic<bool> full{false};
  for (unsigned lane = 0; lane < 2; ++lane)
    writers.emplace_back([&, lane] {
      for (std::uint64_t n = lane; n < 2 * kFamilies; n += 2) {
        if (!append(journal.lane(lane), primary(n, kAnswer)) ||
            !append(journal.lane(lane), shadow(n, kAnswer)))
          full = true;
      }
    });
  for (std::thread& writer : writers) writer.join();
  REQUIRE_FALSE(full.load());
  // Every frame was either read, and then belongs to a pair or to what found none, or is counted as
  // overwritten.
  const auto status = wait_for(live, [](const auto& one) {
    return 2 * compared(one) + one.waiting + one.gave_up + one.overwritten == 4 * kFamilies;
  });
  CHECK(count_of(status, "same") == compared(status));
  CHECK(compared(status) > 0);
}

TEST_CASE("a comparison that comes too late counts what the ring has overwritten") {
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 512 * kKiB, 64 * kKiB), 1, kKiB);
  append_family(journal.lane(0), 0);
  LiveComparison live(journal.run(), kAll, routes());
  // start() looks where the journal is, and its thread finds the ring many laps further.
  constexpr std::uint64_t kFamilies = 20'000;
  live.start();
  for (std::uint64_t n = 1; n <= kFamilies; ++n) append_family(journal.lane(0), n);
  const auto status = wait_for(live, [](const auto& one) {
    return 2 * compared(one) + one.waiting + one.gave_up + one.overwritten == 2 * kFamilies;
  });
  CHECK(journal.status().overwritten_frames > 0);
  CHECK(compared(status) <= kFamilies);
}

// Elements that are alike, and none of them equal: each is looked at for the best of the others.
std::string heavy_body(std::uint64_t seed) {
  std::string body = "[";
  for (std::uint64_t n = 0; n < 12'000; ++n) {
    if (n != 0) body += ',';
    body += "{\"id\":" + std::to_string(seed + n * 7) +
            ",\"size\":" + std::to_string((seed + n) % 13) + ",\"tags\":[" + std::to_string(n % 5) +
            "]}";
  }
  return body + "]";
}

TEST_CASE("a comparison ends in the midst of pairs that take long") {
  const TempDir dir;
  constexpr std::uint64_t kMiB = 1'024 * kKiB;
  Journal journal(small_journal(dir.path(), 64 * kMiB, 8 * kMiB), 1, 2 * kMiB);
  auto live = std::make_unique<LiveComparison>(journal.run(), kAll, routes());
  live->start();
  append_family(journal.lane(0), 0);
  wait_for_pairs(*live, 1);
  for (std::uint64_t n = 1; n <= 20; ++n) {
    REQUIRE(append(journal.lane(0), primary(n, {.body = heavy_body(1'000'000)})));
    REQUIRE(append(journal.lane(0), shadow(n, {.body = heavy_body(2'000'003)})));
  }
  auto ended = std::async(std::launch::async, [&live] { live.reset(); });
  const Deadline deadline;
  REQUIRE(ended.wait_for(std::chrono::milliseconds(deadline.left())) == std::future_status::ready);
}

TEST_CASE("a folder that cannot be read is tried again") {
  const TempDir dir;
  Journal journal(small_journal(dir.path() / "journal"), 1, kKiB);
  const auto aside = dir.path() / "aside";
  std::filesystem::rename(dir.path() / "journal", aside);
  LiveComparison live(journal.run(), kAll, routes());
  live.start();
  std::filesystem::rename(aside, dir.path() / "journal");
  const Deadline deadline;
  std::uint64_t n = 0;
  while (compared(live.status()) == 0 && deadline.left() > 0) {
    append_family(journal.lane(0), ++n);
    std::this_thread::yield();
  }
  CHECK(compared(live.status()) > 0);
}

}  // namespace
}  // namespace segue::compare
