// Who is told of claims, and what becomes of the archive when nobody can be.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>
#include <vector>

#include "exchange/remote_error.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/given_records.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

using test::GivenRecords;
using Lines = std::vector<std::string>;

// Hears nothing for so many claims.
class Listener : public ArchiveObserver {
 public:
  void archived(const Claim& claim, const Done&) override {
    if (deaf_for > 0) {
      --deaf_for;
      throw RemoteError("nobody is there");
    }
    heard.push_back(fmt::format("{} {}", claim.chain.partition, claim.start));
  }
  void troubled(const std::string& why, std::chrono::milliseconds) override {
    troubles.push_back(why);
  }

  Lines heard, troubles;
  int deaf_for = 0;
};

struct Scene {
  explicit Scene(std::uint64_t rows_of_a_file) {
    options.staging = folder / "staging";
    options.flush_rows = rows_of_a_file;
  }

  test::TempDir folder;
  FolderStore store{folder / "archive"};
  Archive archive = Archive::open_or_create(store);
  GivenRecords source;
  ArchiveFileEncoder encoder;
  ArchiverOptions options;
  Listener well, away;
};

TEST_CASE("who cannot be told holds up no partition, and hears all later, each in order") {
  Scene scene(300);
  scene.source.extents = {{{"shop", "0"}, {0, 700}}, {{"shop", "1"}, {0, 300}}};
  scene.away.deaf_for = 1;
  Archiver archiver(scene.archive, scene.source, scene.encoder, scene.options,
                    {&scene.away, &scene.well});
  CHECK_THROWS_AS(archiver.run_once(), RemoteError);
  CHECK(scene.archive.tip({"shop", "0"}).next == 700);
  CHECK(scene.archive.tip({"shop", "1"}).next == 300);
  const Lines all{"0 0", "0 300", "0 600", "1 0"};
  CHECK(scene.well.heard == all);
  CHECK(scene.away.heard.empty());
  archiver.run_once();
  CHECK(scene.away.heard == all);
  CHECK(scene.well.heard == all);  // once
}

TEST_CASE("no checkpoint goes past what somebody was not told; the next archiver tells it") {
  Scene scene(10);
  const Chain chain{"shop", "0"};
  scene.source.extents = {{chain, {0, 500}}};
  scene.away.deaf_for = 1;
  const std::vector<ArchiveObserver*> observers{&scene.away};
  CHECK_THROWS_AS(
      Archiver(scene.archive, scene.source, scene.encoder, scene.options, observers).run_once(),
      RemoteError);
  CHECK(scene.archive.tip(chain).next == 500);
  CHECK_FALSE(scene.archive.checkpoint(chain));
  Archiver(scene.archive, scene.source, scene.encoder, scene.options, observers).run_once();
  CHECK(scene.away.heard.size() == 50);
  CHECK(scene.archive.checkpoint(chain) == 470);
}

TEST_CASE("who is away for long hears of the newest claims only, so few are read again") {
  Scene scene(10);
  const Chain chain{"shop", "0"};
  scene.source.extents = {{chain, {0, 500}}};
  scene.options.most_untold = 20;
  scene.away.deaf_for = 1'000'000;
  const std::vector<ArchiveObserver*> observers{&scene.away, &scene.well};
  std::uint64_t untold = 0;
  scene.options.after_round = [&untold](const ArchiveTally& tally) { untold = tally.untold; };
  CHECK_THROWS_AS(
      Archiver(scene.archive, scene.source, scene.encoder, scene.options, observers).run_once(),
      RemoteError);
  CHECK(scene.archive.tip(chain).next == 500);
  CHECK(scene.archive.checkpoint(chain) == 390);
  CHECK(untold == 40);  // what is before that, of one of the two
  scene.away.deaf_for = 0;
  Archiver(scene.archive, scene.source, scene.encoder, scene.options, observers).run_once();
  CHECK(untold == 0);  // of this archiver
  REQUIRE(scene.away.heard.size() == 10);
  CHECK(scene.away.heard.front() == "0 400");
  CHECK(scene.away.heard.back() == "0 490");
}

TEST_CASE("a service says who cannot be told, once for each attempt, and archives what comes") {
  Scene scene(300);
  const Chain chain{"shop", "0"};
  scene.options.flush_every = std::chrono::milliseconds(1);
  int waits = 0;
  scene.options.told_to_end = [&] { return waits >= 3; };
  scene.source.while_waiting = [&] {
    ++waits;
    scene.source.extents[chain].end += 100;
  };
  scene.source.extents = {{chain, {0, 100}}};
  scene.away.deaf_for = 1'000'000;
  Archiver archiver(scene.archive, scene.source, scene.encoder, scene.options,
                    {&scene.away, &scene.well});
  archiver.run();
  CHECK(scene.archive.tip(chain).next == 300);
  CHECK(scene.well.heard == Lines{"0 0", "0 100", "0 200"});
  REQUIRE_FALSE(scene.well.troubles.empty());
  CHECK(scene.well.troubles.front() == "nobody is there");
}

}  // namespace
}  // namespace segue::warehouse
