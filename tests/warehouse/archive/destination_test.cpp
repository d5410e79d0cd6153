// Which archive a journal is archived into: who says so first, who may move its cursors, and what a
// switch to another one leaves when it is cut off. Journals and archives are real.

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "recorder/exchange.pb.h"
#include "recorder/journal/consumers.hpp"
#include "recorder/journal/cursor.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/temp_dir.hpp"
#include "warehouse/archive/destination.hpp"
#include "warehouse/archive/journal_records.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

using namespace segue::recorder::test;
using recorder::Journal;
using segue::test::TempDir;
using Switch = JournalRecords::Switch;
namespace fs = std::filesystem;

// A journal of ten exchanges in one lane, and two archives that could be its.
struct Scene {
  Scene() {
    auto settings = small_journal(journal_folder());
    settings.consumers = {kArchiverConsumer};
    journal.emplace(settings, 1, kKiB);
    for (std::uint64_t n = 1; n <= 10; ++n) {
      v1::Exchange record;
      record.set_id(std::string(id_of(n).raw()));
      record.mutable_provenance()->set_instance("shop-1");
      REQUIRE(append(journal->lane(0), record.SerializeAsString()));
    }
    chain = {"shop-1", journal->run().filename().string() + "-0"};
  }
  fs::path journal_folder() const { return dir / "journal"; }
  std::uint64_t cursor() const {
    return recorder::load_cursor(journal->run(), kArchiverConsumer)->position(0);
  }
  JournalRecords source(std::vector<std::string>& told) const {
    return {journal_folder(), [&told](const std::string& line) { told.push_back(line); },
            JournalRecords::Role::once};
  }
  // The cursor stands at 5 then.
  void archive_into_first(JournalRecords& source) const {
    source.goes_into(first);
    source.chains();
    source.archived(chain, 6);
  }
  // What stands in the way of writing it, as root meets no rights that do.
  fs::path obstacle() const { return journal_folder() / ".new-archive.json"; }

  TempDir dir;
  std::optional<Journal> journal;
  Chain chain;
  FolderStore first_store{dir / "first"};
  FolderStore second_store{dir / "second"};
  Archive first = Archive::open_or_create(first_store);
  Archive second = Archive::open_or_create(second_store);
};

std::string told_by(const std::function<void()>& work) {
  try {
    work();
  } catch (const StorageError& error) {
    return error.what();
  }
  return "nothing";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("of archivers that begin over one journal at the same time all get the same archive") {
  const TempDir dir;
  std::vector<std::string> got(8);
  {
    std::vector<std::jthread> archivers;
    for (std::size_t i = 0; i < got.size(); ++i)
      archivers.emplace_back([&, i] {
        const std::string id = "archive-" + std::to_string(i);
        got[i] = settle_destination(dir.path(), {id, "archive:/" + id}).archive;
      });
  }
  CHECK(std::set<std::string>(got.begin(), got.end()).size() == 1);
  CHECK(find_destination(dir.path())->archive == got.front());
}

TEST_CASE("a journal without a run is nobody's yet, and one of which only that is left is one") {
  const Scene scene;
  const fs::path empty = scene.dir / "empty";
  fs::create_directory(empty);
  std::vector<std::string> told;
  JournalRecords source(empty, [&](const std::string& line) { told.push_back(line); });
  source.goes_into(scene.first);
  CHECK(source.chains().empty());
  CHECK_FALSE(find_destination(empty));
  settle_destination(empty, destination_of(scene.first));
  CHECK_NOTHROW(JournalRecords(empty, [](const std::string&) {}));
}

TEST_CASE("where an archive is, is said by its whole path") {
  const Scene scene;
  FolderStore relative(fs::relative(scene.dir / "first"));
  CHECK(destination_of(Archive::open(relative)).place ==
        "archive:" + (fs::canonical(scene.dir.path()) / "first").string());
}

TEST_CASE("the first archive that records go into is the journal's, and another is refused") {
  const Scene scene;
  std::vector<std::string> told;
  JournalRecords source = scene.source(told);
  source.goes_into(scene.first);
  source.chains();
  CHECK(find_destination(scene.journal_folder())->archive == scene.first.id());
  JournalRecords other = scene.source(told);
  other.goes_into(scene.second);
  const std::string said = told_by([&] { other.chains(); });
  CHECK(has(said, scene.first.id()));
  CHECK(has(said, scene.second.id()));
  other.archived(scene.chain, 6);
  CHECK(scene.cursor() == 0);
  source.archived(scene.chain, 6);
  CHECK(scene.cursor() == 5);
  CHECK(told.empty());
}

TEST_CASE("while it cannot be written which archive it is, records are archived and cursors stay") {
  const Scene scene;
  std::vector<std::string> told;
  JournalRecords source = scene.source(told);
  source.goes_into(scene.first);
  fs::create_directory(scene.obstacle());
  CHECK(source.chains().size() == 1);
  CHECK(source.chains().size() == 1);
  REQUIRE(told.size() == 1);
  CHECK(has(told.front(), "its segments stay"));
  source.archived(scene.chain, 6);
  CHECK(scene.cursor() == 0);
  fs::remove(scene.obstacle());
  source.chains();
  source.archived(scene.chain, 6);
  CHECK(scene.cursor() == 5);
}

TEST_CASE("a switch that is cut off leaves the journal where it was, and is done when said again") {
  Scene scene;
  std::vector<std::string> told;
  JournalRecords source = scene.source(told);
  scene.archive_into_first(source);
  JournalRecords switching = scene.source(told);
  fs::create_directory(scene.obstacle());
  CHECK_THROWS_AS(switching.switch_to(scene.second, Switch::rest), StorageError);
  CHECK(scene.second.genesis(scene.chain) == 6);
  source.chains();
  source.archived(scene.chain, 8);
  CHECK(scene.cursor() == 7);
  fs::remove(scene.obstacle());
  switching.switch_to(scene.second, Switch::rest);
  CHECK(switching.chains().size() == 1);
  CHECK(scene.second.genesis(scene.chain) == 6);
  // Who archived into the first one is stopped.
  CHECK(has(told_by([&] { source.chains(); }), scene.second.id()));
  source.archived(scene.chain, 10);
  CHECK(scene.cursor() == 7);
}

TEST_CASE("a switch for all begins no chain behind the cursors, nor does one to the same archive") {
  Scene scene;
  std::vector<std::string> told;
  JournalRecords source = scene.source(told);
  scene.archive_into_first(source);
  JournalRecords same = scene.source(told);
  same.switch_to(scene.first, Switch::rest);
  CHECK_FALSE(scene.first.genesis(scene.chain));
  same.switch_to(scene.second, Switch::all);
  CHECK_FALSE(scene.second.genesis(scene.chain));
  CHECK(find_destination(scene.journal_folder())->archive == scene.second.id());
}

TEST_CASE("what says which archive it is and is damaged, or newer, is refused with what to do") {
  Scene scene;
  const auto said = [&](const char* content) {
    scene.dir.write("journal/archive.json", content);
    return told_by([&] { open_archive_of(scene.journal_folder(), scene.first_store); });
  };
  CHECK(has(said(""), "remove it"));
  CHECK(has(said("{}"), "remove it"));
  CHECK(has(said(R"({"format_version":1,"archive":7})"), "remove it"));
  CHECK(has(said(R"({"format_version":2,"archive":"a","place":"b"})"), "use a newer one"));
  std::vector<std::string> told;
  JournalRecords source = scene.source(told);
  CHECK_THROWS_AS(source.switch_to(scene.second, Switch::all), StorageError);
}

}  // namespace
}  // namespace segue::warehouse
