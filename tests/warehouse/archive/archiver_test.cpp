// How records come into an archive, whatever fails and whoever else is at it.
#include "warehouse/archive/archiver.hpp"

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/given_records.hpp"
#include "tests/warehouse/archive/hooked_store.hpp"
#include "warehouse/archive/placement.hpp"
#include "warehouse/sql/archive_file.hpp"

namespace segue::warehouse {
namespace {

using test::GivenRecords;
using test::HookedStore;
using test::what_is_amiss;
using Lines = std::vector<std::string>;

constexpr std::int64_t kMicrosADay = 86'400'000'000;
const Day kToday = *parse_day("2025-11-22");

std::int64_t at_noon(Day day) {
  return day.time_since_epoch().count() * kMicrosADay + kMicrosADay / 2;
}

// Hears it all.
class Listener : public ArchiveObserver {
 public:
  void archived(const Claim& claim, const Done&) override {
    heard.push_back(fmt::format("{}/{} {}", claim.chain.topic, claim.chain.partition, claim.start));
  }
  void troubled(const std::string& why, std::chrono::milliseconds) override {
    troubles.push_back(why);
  }

  Lines heard, troubles;
};

// An archive in a folder, records to put there, and one who does it.
class Scene {
 public:
  Scene() {
    options.staging = folder_ / "staging";
    options.flush_rows = 300;
    options.writer = "a test";
    options.now = [this] { return now; };
  }

  void run_once() { Archiver(archive, source, encoder, options, {&listener}).run_once(); }
  Lines amiss(std::uint64_t first, std::uint64_t end) {
    return what_is_amiss(archive, first, end);
  }
  std::string error_of_run() {
    try {
      run_once();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
  std::vector<std::string> days() const {
    std::vector<std::string> days;
    for (const auto& [claim, done] : archive.claims(chain)) days.push_back(text_of(claim.day));
    return days;
  }
  std::uint64_t rows() const { return test::archived_rows(folder_ / "archive").rows; }

 private:
  test::TempDir folder_;

 public:
  const std::filesystem::path place = folder_ / "archive";
  HookedStore store{place};
  Archive archive = Archive::open_or_create(store);
  GivenRecords source;
  ArchiveFileEncoder encoder;
  ArchiverOptions options;
  Listener listener;
  std::int64_t now = at_noon(kToday);
  const Chain chain{"shop", "0"};
};

TEST_CASE("what waits is archived once, in files of so many rows, and then there is nothing") {
  Scene scene;
  scene.source.extents = {{{"shop", "0"}, {5, 1005}}, {{"shop", "1"}, {5, 1005}}};
  scene.run_once();
  CHECK(scene.amiss(5, 1005).empty());
  CHECK(scene.archive.claims(scene.chain).size() == 4);
  const auto rows = test::archived_rows(scene.place);
  CHECK(rows.rows == 2000);
  CHECK(rows.distinct == 2000);
  CHECK(rows.lowest == 5);
  CHECK(rows.highest == 1004);
  CHECK(scene.source.extents[scene.chain].archived == 1005);
  const Lines heard = scene.listener.heard;
  CHECK(heard.size() == 8);
  scene.run_once();
  CHECK(scene.archive.claims(scene.chain).size() == 4);
  scene.source.extents[scene.chain].end = 1006;
  scene.run_once();
  CHECK(scene.archive.claims(scene.chain).size() == 5);
  CHECK(scene.archive.tip(scene.chain).next == 1006);
}

TEST_CASE("whatever cannot be made in the archive, the next archiver makes it whole") {
  int faults = 0;
  for (int spared = 0;; ++spared) {
    Scene scene;
    scene.source.extents = {{scene.chain, {0, 700}}};
    int left = spared;
    scene.store.before_making = [&](std::string_view key) {
      if (left-- == 0) throw RemoteError(fmt::format("{}: the store is away", key));
    };
    const std::string why = scene.error_of_run();
    scene.store.before_making = nullptr;
    if (why.empty()) break;
    ++faults;
    INFO(why);
    scene.listener.heard.clear();
    scene.run_once();
    CHECK(scene.amiss(0, 700) == Lines{});
    CHECK(scene.rows() == 700);
    // Also what the dead one may have told.
    CHECK(scene.listener.heard ==
          Lines{"shop/0 0", "shop/0 300", "shop/0 600"});
  }
  CHECK(faults == 1 + 3 * 4);  // genesis; claim, place, file, .done
}

TEST_CASE("two at the same chain at any moment: one wins, nothing comes twice") {
  for (int moment = 0; moment < 13; ++moment) {
    Scene scene;
    scene.source.extents = {{scene.chain, {0, 700}}};
    int left = moment;
    scene.store.before_making = [&](std::string_view key) {
      if (left-- != 0) return;
      INFO(key);
      scene.run_once();
    };
    scene.run_once();
    INFO("moment " << moment);
    CHECK(left < 0);
    CHECK(scene.amiss(0, 700) == Lines{});
    CHECK(scene.rows() == 700);
  }
}

TEST_CASE("who was overtaken while it encoded discards what it has") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 500}}};
  Archiver slow(scene.archive, scene.source, scene.encoder, scene.options);
  ArchiveFileEncoder another;
  scene.source.before_read = [&](std::uint64_t offset) {
    if (offset != 200) return;
    scene.source.before_read = nullptr;
    Archiver(scene.archive, scene.source, another, scene.options).run_once();
  };
  slow.run_once();
  CHECK(slow.tally().yielded == 1);
  CHECK(slow.tally().claims == 0);
  CHECK(scene.amiss(0, 500) == Lines{});
  CHECK(scene.rows() == 500);
}

TEST_CASE("a clock that jumps back takes no claim back, one that jumps ahead neither") {
  Scene scene;
  const auto add = [&](Day day) {
    scene.now = at_noon(day);
    scene.source.extents[scene.chain].end += 10;
    scene.run_once();
  };
  const std::chrono::days one(1);
  add(kToday);
  add(kToday - 30 * one);
  add(kToday + 2 * one);
  add(kToday);
  CHECK(scene.days() == Lines{"2025-11-22", "2025-11-22", "2025-11-24", "2025-11-24"});
}

TEST_CASE("the newest exchange moves the day at most one ahead of the clock") {
  Scene scene;
  scene.source.extents = {{scene.chain, {1, 5}}};  // of 2025-11-21
  const std::chrono::days one(1);
  scene.now = at_noon(kToday - 2 * one);
  scene.run_once();
  scene.source.extents[{"shop", "far"}] = {1, 5};
  scene.now = at_noon(kToday - 40 * one);
  scene.run_once();
  CHECK(scene.days() == Lines{"2025-11-21"});
  CHECK(text_of(scene.archive.claims({"shop", "far"})[0].claim.day) == "2025-10-14");
}

TEST_CASE("no file comes to lie under a day that is closing or compacted, nor before one") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 10}}};
  scene.store.create(closing_key(kToday + std::chrono::days(3)), "{}");
  scene.run_once();
  CHECK(scene.days() == Lines{"2025-11-26"});
  scene.archive.move_watermark(*parse_day("2025-12-24"));
  scene.source.extents[scene.chain].end = 20;
  scene.run_once();
  CHECK(scene.days() == Lines{"2025-11-26", "2025-12-24"});
}

TEST_CASE("a day that begins to close behind the claim: the file is placed under the next one") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 10}}};
  scene.store.before_making = [&](std::string_view key) {
    if (key.ends_with(".placed")) return;
    if (key == claim_key(scene.chain, 0)) scene.store.create(closing_key(kToday), "{}");
  };
  scene.run_once();
  const ClaimState state = scene.archive.claims(scene.chain).at(0);
  CHECK(text_of(state.claim.day) == "2025-11-22");
  CHECK(state.done->path.starts_with("raw/dt=2025-11-23/"));
  CHECK(scene.amiss(0, 10) == Lines{});
  CHECK(scene.rows() == 10);
}

TEST_CASE("a day that closes while one publishes and another repairs: both mean one place") {
  for (const char* const moment : {".placed", ".parquet"}) {
    Scene scene;
    scene.source.extents = {{scene.chain, {0, 10}}};
    bool met = false;
    scene.store.before_making = [&](std::string_view key) {
      if (met || !key.ends_with(moment)) return;
      met = true;
      scene.store.create(closing_key(kToday), "{}");
      scene.run_once();  // finds the claim open
    };
    scene.run_once();
    INFO(moment);
    CHECK(met);
    CHECK(scene.amiss(0, 10) == Lines{});
    CHECK(scene.rows() == 10);
  }
}

TEST_CASE("what the source no longer has is claimed as lost, with the reason") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 100}}};
  scene.run_once();
  scene.source.extents = {{scene.chain, {150, 200}}};
  scene.run_once();
  const auto claims = scene.archive.claims(scene.chain);
  REQUIRE(claims.size() == 3);
  CHECK(claims[1].claim.kind == Claim::Kind::lost);
  CHECK(claims[1].claim.end == 149);
  CHECK(claims[1].claim.reason == "the test took them");
  CHECK(claims[1].done->path.empty());
  CHECK(claims[2].claim.start == 150);
  CHECK(scene.amiss(0, 200) == Lines{});
  CHECK(scene.rows() == 150);
}

TEST_CASE("an open claim whose records are gone meanwhile says how many rows it has") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 100}}};
  scene.store.before_making = [](std::string_view key) {
    if (key.ends_with(".parquet")) throw StorageError("no");
  };
  CHECK(scene.error_of_run() == "no");
  scene.store.before_making = nullptr;
  scene.source.extents = {{scene.chain, {40, 100}}};
  scene.run_once();
  const ClaimState state = scene.archive.claims(scene.chain).at(0);
  CHECK(state.claim.file.rows == 100);
  CHECK(state.done->file.rows == 60);
}

TEST_CASE("a file ends where its records are so many bytes, and the next one goes on there") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 40}}};
  scene.source.body_bytes = 10'000;
  scene.options.flush_bytes = 100'000;
  scene.run_once();
  CHECK(scene.archive.claims(scene.chain).size() == 4);
  CHECK(scene.amiss(0, 40) == Lines{});
  CHECK(scene.rows() == 40);
}

TEST_CASE("a source that begins anew below the archive halts that chain with a line that says so") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 100}}, {{"shop", "1"}, {0, 100}}};
  scene.run_once();
  scene.source.extents = {{scene.chain, {0, 50}}, {{"shop", "1"}, {0, 200}}};
  const std::string why = scene.error_of_run();
  CHECK(why.find("shop/0 ends at 50, before 100") != std::string::npos);
  CHECK(why.find("--new-epoch") != std::string::npos);
  CHECK(scene.archive.tip({"shop", "1"}).next == 200);
}

TEST_CASE("a checkpoint bounds what is read again and told again") {
  Scene scene;
  scene.options.flush_rows = 10;
  scene.source.extents = {{scene.chain, {0, 200}}};
  scene.run_once();
  CHECK(scene.archive.checkpoint(scene.chain) == 150);
  scene.listener.heard.clear();
  scene.run_once();
  CHECK(scene.listener.heard ==
        Lines{"shop/0 160", "shop/0 170", "shop/0 180", "shop/0 190"});
}

TEST_CASE("a checkpoint that is damaged, or names no claim, is no hint: all claims are read") {
  for (const char* const content :
       {"", "{}", "[]", R"({"format_version":9})", R"({"format_version":1,"claim":500})",
        R"({"format_version":1,"claim":15})"}) {
    Scene scene;
    scene.options.flush_rows = 10;
    scene.source.extents = {{scene.chain, {0, 30}}};
    scene.run_once();
    scene.listener.heard.clear();
    scene.store.replace(checkpoint_key(scene.chain), content);
    scene.source.extents[scene.chain].end = 40;
    INFO(content);
    CHECK(scene.error_of_run().empty());
    CHECK(scene.listener.heard == Lines{"shop/0 0", "shop/0 10", "shop/0 20", "shop/0 30"});
    CHECK(scene.archive.tip(scene.chain).next == 40);
    CHECK(scene.amiss(0, 40) == Lines{});
  }
}

TEST_CASE("what killed retention left below the genesis holds nobody up") {
  Scene scene;
  scene.options.flush_rows = 10;
  scene.source.extents = {{scene.chain, {0, 40}}};
  scene.run_once();
  // It moved the genesis, and took the second of two.
  scene.store.replace(genesis_key(scene.chain), R"({"format_version":1,"start":20})");
  scene.store.remove(claim_key(scene.chain, 10));
  scene.store.remove(done_key(scene.chain, 10));
  scene.listener.heard.clear();
  scene.source.extents[scene.chain].end = 50;
  CHECK(scene.error_of_run().empty());
  CHECK(scene.listener.heard == Lines{"shop/0 20", "shop/0 30", "shop/0 40"});
}

TEST_CASE("what retention takes while claims are read is not published again") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 100}}};
  scene.run_once();
  const std::string file = scene.archive.done(scene.archive.claims(scene.chain)[0].claim)->path;
  scene.source.extents[scene.chain] = {100, 100};
  std::atomic<bool> taken = false;
  scene.store.before_reading = [&](std::string_view key) {
    if (key != done_key(scene.chain, 0) || taken.exchange(true)) return;
    scene.store.replace(genesis_key(scene.chain), R"({"format_version":1,"start":100})");
    scene.store.remove(file);
    for (const std::string& each : {claim_key(scene.chain, 0), done_key(scene.chain, 0),
                                    placement_key(scene.chain, 0)})
      scene.store.remove(each);
  };
  scene.listener.heard.clear();
  CHECK(scene.error_of_run().empty());
  CHECK(taken);
  CHECK(scene.listener.heard.empty());
  CHECK_FALSE(scene.store.size(file));
  CHECK_FALSE(scene.store.size(done_key(scene.chain, 0)));
  scene.source.extents[scene.chain].end = 150;
  scene.run_once();
  CHECK(scene.listener.heard == Lines{"shop/0 100"});
}

TEST_CASE("an open claim that goes while claims are read is not published; its records are anew") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 100}}};
  scene.run_once();
  const std::string file = scene.archive.done(scene.archive.claims(scene.chain)[0].claim)->path;
  scene.store.remove(done_key(scene.chain, 0));
  scene.store.remove(file);
  bool taken = false;
  scene.store.before_reading = [&](std::string_view key) {
    if (key != genesis_key(scene.chain) || std::exchange(taken, true)) return;
    scene.store.remove(claim_key(scene.chain, 0));
  };
  scene.source.extents[scene.chain].end = 120;
  scene.run_once();
  CHECK(taken);
  CHECK(scene.amiss(0, 120) == Lines{});
  CHECK(scene.archive.claims(scene.chain)[0].claim.end == 119);
}

TEST_CASE("books that never come to rest are given up with a line that says so") {
  Scene scene;
  scene.options.flush_rows = 10;
  scene.source.extents = {{scene.chain, {0, 30}}};
  scene.run_once();
  // A claim in the middle that is there, but in no listing.
  scene.store.hidden = [&](std::string_view key) {
    return key.starts_with(claim_key(scene.chain, 10));
  };
  CHECK(scene.error_of_run().find("came and went") != std::string::npos);
}

TEST_CASE("a claim that is there and in no listing ends in a line, not in a row of attempts") {
  Scene scene;
  scene.source.extents = {{scene.chain, {0, 100}}};
  scene.run_once();
  scene.store.hidden = [&](std::string_view key) {
    return key.starts_with(claim_key(scene.chain, 0));
  };
  const std::string why = scene.error_of_run();
  INFO(why);
  CHECK(why.find(claim_key(scene.chain, 0)) != std::string::npos);
  CHECK(why.find(genesis_key(scene.chain)) != std::string::npos);
}

TEST_CASE("a service archives what comes, tells what is in the way, and ends when it is told") {
  Scene scene;
  scene.options.flush_every = std::chrono::milliseconds(1);
  int waits = 0;
  bool failed = false;
  scene.options.told_to_end = [&] { return waits >= 3; };
  scene.source.while_waiting = [&] {
    ++waits;
    scene.source.extents[scene.chain].end += 100;
  };
  scene.source.before_read = [&](std::uint64_t) {
    if (!std::exchange(failed, true)) throw RemoteError("the source is away");
  };
  scene.source.extents = {{scene.chain, {0, 100}}};
  Archiver archiver(scene.archive, scene.source, scene.encoder, scene.options, {&scene.listener});
  archiver.run();
  CHECK(scene.listener.troubles == Lines{"the source is away"});
  CHECK(scene.archive.tip(scene.chain).next == 300);
  CHECK(archiver.tally().rows == 300);
  CHECK(scene.rows() == 300);
}

}  // namespace
}  // namespace segue::warehouse
