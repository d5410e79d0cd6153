// A journal as the archiver reads it. Journals are real, and written by this process; those that
// died were written by one that was killed.

#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/consumers.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/temp_dir.hpp"
#include "warehouse/archive/journal_records.hpp"

namespace segue::warehouse {
namespace {

using namespace segue::recorder::test;
using recorder::FrameKind;
using recorder::Journal;
using recorder::Lane;
using recorder::SegmentPages;
using segue::test::TempDir;
using Offsets = std::vector<std::uint64_t>;
using Lines = std::vector<std::string>;
namespace fs = std::filesystem;

constexpr const char* kInstance = "shop-1";

std::string exchange(std::uint64_t n, std::size_t filler = 100) {
  v1::Exchange record;
  record.set_id(std::string(id_of(n).raw()));
  record.mutable_provenance()->set_instance(kInstance);
  record.mutable_request()->set_target(std::string(filler, 'x'));
  return record.SerializeAsString();
}

bool put(Lane& lane, std::uint64_t n, std::size_t filler = 100) {
  return append(lane, exchange(n, filler));
}

recorder::JournalSettings archived_journal(const fs::path& directory,
                                           std::uint64_t max_bytes = 4096 * kKiB) {
  auto settings = small_journal(directory, max_bytes);
  settings.consumers = {kArchiverConsumer};
  return settings;
}

// A source, and what it told.
struct Archiving {
  explicit Archiving(const fs::path& directory,
                     JournalRecords::Role role = JournalRecords::Role::service)
      : source(directory, [this](const std::string& line) { told.push_back(line); }, role) {}
  Chain only_chain() {
    const auto chains = source.chains();
    REQUIRE(chains.size() == 1);
    return chains.front();
  }
  Offsets read(const Chain& chain, std::uint64_t from, std::uint64_t to) {
    Offsets offsets;
    const auto reader = source.read(chain, from, to);
    while (const auto record = reader->next()) offsets.push_back(record->offset);
    return offsets;
  }
  Lines told;
  JournalRecords source;
};

Waiting waits(Archiving& archiving, const Chain& chain, std::uint64_t next) {
  const auto waiting = archiving.source.waiting(chain, next);
  REQUIRE(waiting.has_value());
  return *waiting;
}

TEST_CASE("each lane of a gateway that runs is a chain, named after instance, run and lane") {
  const TempDir dir;
  Journal journal(archived_journal(dir.path()), 3, kKiB);
  REQUIRE(put(journal.lane(0), 1));
  REQUIRE(put(journal.lane(2), 2));
  Archiving archiving(dir.path());
  const std::string run = journal.run().filename().string();
  CHECK(archiving.source.chains() ==
        std::vector<Chain>{{kInstance, run + "-0"}, {kInstance, run + "-2"}});
  CHECK(archiving.source.first({kInstance, run + "-0"}) == 1);
  CHECK(archiving.told.empty());
  CHECK(archiving.source.name() == "journal:" + dir.path().string());
}

TEST_CASE("intents are holes among the records, and a lane is read on as it grows") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(archived_journal(dir.path()), 1, kKiB);
  Lane& lane = journal.lane(0);
  REQUIRE(append(lane, exchange(1), FrameKind::intent));
  REQUIRE(append(lane, exchange(1)));
  REQUIRE(append(lane, exchange(2), FrameKind::finish));
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  const Waiting first = waits(archiving, chain, 1);
  CHECK(first.lost_from == first.from);
  CHECK(first.from == 1);
  CHECK(first.to == 4);
  CHECK(archiving.read(chain, 1, 4) == Offsets{2, 3});
  CHECK_FALSE(archiving.source.waiting(chain, 4).has_value());

  REQUIRE(put(lane, 3));
  REQUIRE(append(lane, exchange(4), FrameKind::intent));
  CHECK(waits(archiving, chain, 4).to == 6);
  CHECK(archiving.read(chain, 4, 6) == Offsets{4});
  CHECK(archiving.read(chain, 1, 6) == Offsets{2, 3, 4});
  CHECK(archiving.read(chain, 3, 4) == Offsets{3});
}

TEST_CASE("intents alone wait for a record behind them, or for the end of their run") {
  const TempDir dir;
  Chain chain;
  {
    Journal journal(archived_journal(dir.path()), 1, kKiB);
    Lane& lane = journal.lane(0);
    REQUIRE(append(lane, exchange(1), FrameKind::intent));
    Archiving archiving(dir.path());
    chain = archiving.only_chain();
    CHECK_FALSE(archiving.source.waiting(chain, 1).has_value());
    REQUIRE(append(lane, exchange(1)));
    CHECK(waits(archiving, chain, 1).to == 3);
    REQUIRE(append(lane, exchange(2), FrameKind::intent));
    REQUIRE(append(lane, exchange(3), FrameKind::intent));
    CHECK_FALSE(archiving.source.waiting(chain, 3).has_value());
    Archiving anew(dir.path());
    REQUIRE(anew.only_chain() == chain);
    CHECK_FALSE(anew.source.waiting(chain, 3).has_value());
  }
  Archiving archiving(dir.path());
  REQUIRE(archiving.only_chain() == chain);
  CHECK(waits(archiving, chain, 3).to >= 5);
}

TEST_CASE("a range is read from the middle of many segments, the same each time") {
  const TempDir dir;
  Journal journal(archived_journal(dir.path()), 1, kKiB);
  for (std::uint64_t n = 1; n <= 2'000; ++n) REQUIRE(put(journal.lane(0), n, 900));
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  CHECK(waits(archiving, chain, 701).to == 2'001);
  const Offsets range = archiving.read(chain, 1'001, 1'501);
  CHECK(range.size() == 500);
  CHECK(range.front() == 1'001);
  CHECK(range.back() == 1'500);
  CHECK(archiving.read(chain, 1'001, 1'501) == range);
}

TEST_CASE("a run whose process died is sealed, and what it left open is interrupted, with offsets") {
  const TempDir dir;
  recorder::test::die_after(archived_journal(dir.path()), [](Lane& lane) {
    put(lane, 1);
    append(lane, exchange(2), FrameKind::intent);
    lane.intent_opened(id_of(2));
    put(lane, 3);
  });
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  CHECK(recorder::run_is_sealed(only_run(dir.path())));
  CHECK(waits(archiving, chain, 1).to == 5);
  CHECK(archiving.read(chain, 1, 5) == Offsets{1, 3, 4});
  Archiving again(dir.path());
  REQUIRE(again.only_chain() == chain);
  CHECK(again.read(chain, 1, 5) == Offsets{1, 3, 4});
  CHECK_FALSE(again.source.waiting(chain, 5).has_value());
}

TEST_CASE("an open intent of a process that runs is no record yet") {
  const TempDir dir;
  Journal journal(archived_journal(dir.path()), 1, kKiB);
  REQUIRE(put(journal.lane(0), 1));
  REQUIRE(append(journal.lane(0), exchange(2), FrameKind::intent));
  journal.lane(0).intent_opened(id_of(2));
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  CHECK(waits(archiving, chain, 1).to == 3);
  CHECK(archiving.read(chain, 1, 3) == Offsets{1});
}

TEST_CASE("what a ring overwrote before it was read is lost, with the reason") {
  IN_LEAN_AND_WARM();
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 512 * kKiB), 1, kKiB);
  for (std::uint64_t n = 1; n <= 2'000; ++n)
    while (!put(journal.lane(0), n, 900)) std::this_thread::yield();
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  Waiting waiting = waits(archiving, chain, 1);
  CHECK(waiting.lost_from == 1);
  CHECK(waiting.from > 1'000);
  CHECK(waiting.to == 2'001);
  CHECK(waiting.lost_reason == "the journal's ring overwrote it before it was archived");
  // The keeper may be about to recycle one more: then it is lost, too.
  Offsets read;
  for (unsigned tries = 0; tries < 3 && read.empty(); ++tries) {
    try {
      waiting = waits(archiving, chain, 1);
      read = archiving.read(chain, waiting.from, waiting.to);
    } catch (const StartupError&) {
    }
  }
  CHECK(read.size() == waiting.to - waiting.from);
}

TEST_CASE("what a ring overwrites while it is read is not given half; it is lost the next time") {
  const TempDir dir;
  Journal journal(small_journal(dir.path(), 512 * kKiB), 1, kKiB);
  Lane& lane = journal.lane(0);
  for (std::uint64_t n = 1; n <= 100; ++n) REQUIRE(put(lane, n, 900));
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  const Waiting seen = waits(archiving, chain, 1);
  REQUIRE(seen.to == 101);
  // Nobody keeps it any more, and it is gone before it is read.
  REQUIRE(recorder::drop_consumer(dir.path(), kArchiverConsumer).has_value());
  for (std::uint64_t n = 101; n <= 2'000; ++n)
    while (!put(lane, n, 900)) std::this_thread::yield();
  CHECK_THROWS_AS(archiving.read(chain, 1, 101), StartupError);
  const Waiting after = waits(archiving, chain, 1);
  CHECK(after.lost_from == 1);
  CHECK(after.from > 101);
  CHECK(after.to == 2'001);
  // A range that another had claimed is what is still there.
  CHECK(archiving.read(chain, 1, 101).empty());
}

TEST_CASE("damage in a segment is lost, said once, and what follows it is read") {
  const TempDir dir;
  fs::path segment;
  {
    Journal journal(archived_journal(dir.path()), 1, kKiB);
    for (std::uint64_t n = 1; n <= 300; ++n) REQUIRE(put(journal.lane(0), n, 900));
    segment = segments_of(journal.run()).at(1);
  }
  overwrite(segment, 20 * kKiB, std::string(64, '\xFF'));
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  const Waiting before = waits(archiving, chain, 1);
  CHECK(before.lost_from == before.from);
  CHECK(before.end == 301);
  const Waiting damaged = waits(archiving, chain, before.to);
  CHECK(damaged.lost_from == before.to);
  CHECK(damaged.from > before.to);
  CHECK(damaged.to == 301);
  CHECK(damaged.lost_reason.starts_with("the journal is damaged: "));
  CHECK(archiving.read(chain, 1, before.to).size() == before.to - 1);
  CHECK(archiving.read(chain, damaged.from, damaged.to).size() == damaged.to - damaged.from);
  CHECK_FALSE(archiving.told.empty());
}

TEST_CASE("the cursor follows what is archived, and never goes back") {
  const TempDir dir;
  Journal journal(archived_journal(dir.path()), 1, kKiB);
  for (std::uint64_t n = 1; n <= 10; ++n) REQUIRE(put(journal.lane(0), n));
  Archiving archiving(dir.path());
  Archiving other(dir.path());
  const Chain chain = archiving.only_chain();
  REQUIRE(other.only_chain() == chain);
  const auto position = [&] {
    return recorder::load_cursor(journal.run(), kArchiverConsumer)->position(0);
  };
  waits(archiving, chain, 1);
  archiving.read(chain, 1, 11);
  CHECK(position() == 0);
  archiving.source.archived(chain, 11);
  CHECK(position() == 10);
  other.source.archived(chain, 6);
  CHECK(position() == 10);
}

TEST_CASE("an archiver registers where the gateway does not know of one, and says how to end it") {
  const TempDir dir;
  Journal journal(small_journal(dir.path()), 1, kKiB);
  REQUIRE(put(journal.lane(0), 1));
  Archiving archiving(dir.path());
  archiving.only_chain();
  REQUIRE(archiving.told.size() == 1);
  CHECK(archiving.told.front().find("drop-consumer archiver journal:") != std::string::npos);
  CHECK(recorder::consumer_is_leased(dir.path(), kArchiverConsumer));
  // A second one is told nothing.
  Archiving second(dir.path());
  second.only_chain();
  CHECK(second.told.empty());
}

TEST_CASE("who archives once registers nothing, and seals all the same") {
  const TempDir dir;
  recorder::test::die_after(small_journal(dir.path()), [](Lane& lane) { put(lane, 1); });
  Archiving archiving(dir.path(), JournalRecords::Role::once);
  const Chain chain = archiving.only_chain();
  CHECK(recorder::run_is_sealed(only_run(dir.path())));
  CHECK(recorder::registered_consumers(dir.path())->empty());
  CHECK(archiving.told.empty());
  const std::string gone = "20261121T105436.123456Z-9f86d081-0";
  CHECK(archiving.source.is_gone({kInstance, gone}));
  CHECK_FALSE(archiving.source.is_gone({"another", gone}));
  CHECK_FALSE(archiving.source.is_gone({kInstance, "7"}));
  CHECK_FALSE(archiving.source.is_gone(chain));
}

TEST_CASE("records of a run that a power cut shortened never get offsets that were archived") {
  const TempDir dir;
  fs::path run;
  recorder::test::die_after(archived_journal(dir.path()), [](Lane& lane) {
    put(lane, 1);
    append(lane, exchange(2), FrameKind::intent);
    lane.intent_opened(id_of(2));
    for (std::uint64_t n = 3; n <= 9; ++n) put(lane, n);
  });
  run = only_run(dir.path());
  // As an archiver leaves it that read to 9, and whose claim is there.
  REQUIRE(recorder::advance_cursor(run, "archiver.claimed",
                                   recorder::Cursor{{{std::uint32_t{0}, std::uint64_t{9}}}},
                                   recorder::Sync::yes)
              .has_value());
  // The power cut: all behind the intent is gone.
  const fs::path segment = segments_of(run).front();
  const auto frame = [](std::size_t payload) { return recorder::frame_bytes(payload); };
  const std::uint64_t kept = sizeof(recorder::SegmentHeader) + frame(exchange(1).size()) +
                             frame(exchange(2).size());
  fs::resize_file(segment, kept);
  fs::resize_file(segment, 64 * kKiB);
  Archiving archiving(dir.path());
  const Chain chain = archiving.only_chain();
  const Waiting waiting = waits(archiving, chain, 10);
  CHECK(waiting.lost_from == 10);
  CHECK(waiting.from == 10);
  CHECK(waiting.to == 11);
  CHECK(archiving.read(chain, 10, 11) == Offsets{10});
}

TEST_CASE("what is no journal is refused with what to give instead") {
  const TempDir dir;
  dir.write("shop/index.html", "hello");
  try {
    const Archiving archiving(dir / "shop");
    FAIL("it was taken for a journal");
  } catch (const StartupError& error) {
    CHECK(std::string(error.what()).find("give the folder of recorder.journal.dir") !=
          std::string::npos);
  }
  CHECK_THROWS_AS(Archiving(dir / "nothing"), StartupError);
}

}  // namespace
}  // namespace segue::warehouse
