// What an archiver makes of an archive, or a disk, that is damaged, full or another's.
#include <fmt/format.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/owned_descriptor.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/given_records.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/archive/placement.hpp"
#include "warehouse/archive/staging.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDisk = 8 << 20;

// An archive with 100 records of two chains in it, and 100 more of each to come.
class Scene {
 public:
  explicit Scene(const fs::path& folder, fs::path staging) : store(folder) {
    options.staging = std::move(staging);
    options.writer = "a test";
    source.extents = {{chain, {0, 100}}, {other, {0, 100}}};
  }

  void run_once() { Archiver(archive, source, encoder, options).run_once(); }
  void more() {
    for (auto& [each, extent] : source.extents) extent.end += 100;
  }
  std::string error_of_run() {
    try {
      run_once();
    } catch (const StorageError& error) {
      return error.what();
    }
    return "";
  }

  FolderStore store;
  Archive archive = Archive::open_or_create(store);
  test::GivenRecords source;
  ArchiveFileEncoder encoder;
  ArchiverOptions options;
  const Chain chain{"shop", "0"};
  const Chain other{"shop", "1"};
};

bool is_empty_but_for_locks(const fs::path& staging) {
  for (const auto& entry : fs::recursive_directory_iterator(staging))
    if (entry.is_regular_file() && entry.path().extension() != ".lock") return false;
  return true;
}

TEST_CASE("what is damaged in the books of a chain is named, and the other chains go on") {
  struct Damage {
    const char* what;
    std::string key;
    std::string content;
  };
  const Chain chain{"shop", "0"};
  for (const Damage& damage : {
           Damage{"a claim that is cut", claim_key(chain, 0), "{\"format_version\":1,\"top"},
           Damage{"a claim that is empty", claim_key(chain, 0), ""},
           Damage{"a claim of another version", claim_key(chain, 0), "{\"format_version\":9}"},
           Damage{"a `.done` that is cut", done_key(chain, 0), "{\"format_ver"},
           Damage{"a genesis that is none", genesis_key(chain), "[]"},
       }) {
    const test::TempDir folder;
    Scene scene(folder / "archive", folder / "staging");
    scene.run_once();
    scene.store.replace(damage.key, damage.content);
    scene.more();
    const std::string why = scene.error_of_run();
    INFO(damage.what << ": " << why);
    CHECK(why.find(damage.key) != std::string::npos);
    CHECK(why.find('\n') == std::string::npos);
    CHECK(scene.archive.tip(scene.other).next == 200);
    CHECK(is_empty_but_for_locks(folder.path() / "staging"));
  }
}

TEST_CASE("a chain whose files would have names that are too long is refused before it begins") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  const Chain longest{std::string(203, 't'), "0"};
  const Chain longer{std::string(204, 't'), "0"};
  scene.source.extents = {{longest, {0, 100}}, {longer, {0, 100}}, {scene.chain, {0, 100}}};
  const std::string why = scene.error_of_run();
  INFO(why);
  CHECK(why.find(longer.topic + "/0") != std::string::npos);
  CHECK(why.find("256") != std::string::npos);
  CHECK(why.find('\n') == std::string::npos);
  CHECK(scene.archive.genesis(longer) == std::nullopt);
  CHECK(scene.archive.tip(longest).next == 100);
  CHECK(scene.archive.tip(scene.chain).next == 100);
}

TEST_CASE("a claim of another place is not taken for one of this chain") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  scene.run_once();
  scene.store.replace(claim_key(scene.chain, 0), *scene.store.read(claim_key(scene.other, 0)));
  CHECK(scene.error_of_run().find("another place") != std::string::npos);
}

TEST_CASE("a claim whose end cannot be is refused") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  scene.run_once();
  const std::string key = claim_key(scene.chain, 0);
  std::string text = *scene.store.read(key);
  const auto at = text.find("\"end\":99");
  REQUIRE(at != std::string::npos);
  text.replace(at, 8, "\"end\":18446744073709551615");
  scene.store.replace(key, text);
  CHECK(scene.error_of_run().find("its end is no offset") != std::string::npos);
}

TEST_CASE("a placement that is damaged is named, and made anew when it is gone") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  scene.run_once();
  scene.store.remove(done_key(scene.chain, 0));
  const std::string key = placement_key(scene.chain, 0);
  for (const char* const content : {"", "{}", R"({"dt":"someday"})", "[1]"}) {
    scene.store.replace(key, content);
    CHECK(scene.error_of_run().find(key) != std::string::npos);
  }
  scene.store.remove(key);
  scene.run_once();
  CHECK(test::what_is_amiss(scene.archive, 0, 100).empty());
}

TEST_CASE("a claim that is missing in the middle halts its chain") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  scene.options.flush_rows = 30;
  scene.run_once();
  scene.store.remove(claim_key(scene.chain, 30));
  scene.more();
  const std::string why = scene.error_of_run();
  CHECK(why.find(claim_key(scene.chain, 30) + " is missing") != std::string::npos);
  CHECK(scene.archive.tip(scene.other).next == 200);
}

TEST_CASE("something else that lies where the file of an open claim belongs is not taken for it") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  scene.run_once();
  const ClaimState state = scene.archive.claims(scene.chain).at(0);
  scene.store.remove(done_key(scene.chain, 0));
  const std::string good = *scene.store.read(state.done->path);
  const std::string cut = good.substr(0, good.size() / 2);
  for (const std::string& content : {std::string("GIF89a"), std::string(), cut}) {
    scene.store.replace(state.done->path, content);
    const std::string why = scene.error_of_run();
    INFO(why);
    CHECK(why.find(state.done->path) != std::string::npos);
    CHECK(why.find("move it away") != std::string::npos);
  }
  scene.store.remove(state.done->path);
  scene.run_once();
  CHECK(test::what_is_amiss(scene.archive, 0, 100).empty());
}

TEST_CASE("the file of an open claim that another encoded is taken as it is") {
  const test::TempDir folder;
  Scene scene(folder / "archive", folder / "staging");
  scene.run_once();
  const ClaimState state = scene.archive.claims(scene.chain).at(0);
  scene.store.remove(done_key(scene.chain, 0));
  // The same rows, compressed otherwise, as another version may do it.
  Engine engine;
  const auto own = folder / "own.parquet";
  engine.run(fmt::format("COPY (FROM read_parquet('{}')) TO '{}' (FORMAT parquet, COMPRESSION gzip, "
                         "FIELD_IDS {})",
                         scene.store.path_of(state.done->path).string(), own.string(),
                         archive_field_ids()));
  scene.store.replace_from(state.done->path, own);
  scene.run_once();
  CHECK(test::what_is_amiss(scene.archive, 0, 100).empty());
  const Done done = *scene.archive.done(state.claim);
  CHECK(done.file.sha256 != state.claim.file.sha256);
  CHECK(done.file.rows == 100);
  CHECK(done.file.failures == state.claim.file.failures);
  CHECK(done.file.max_created_at == state.claim.file.max_created_at);
}

TEST_CASE("a disk that fills while a file is staged: one line, nothing claimed, room again") {
  const test::SmallDisk disk(kDisk);
  const test::TempDir folder;
  Scene scene(folder / "archive", disk.path() / "staging");
  scene.source.extents = {{scene.chain, {0, 20}}};
  scene.run_once();
  scene.source.extents[scene.chain].end = 600;
  scene.source.body_bytes = 100'000;
  scene.source.incompressible = true;
  const std::string why = scene.error_of_run();
  INFO(why);
  CHECK(why.find((disk.path() / "staging").string()) != std::string::npos);
  CHECK(why.find('\n') == std::string::npos);
  CHECK(scene.archive.tip(scene.chain).next == 20);
  CHECK(is_empty_but_for_locks(disk.path() / "staging"));
  scene.options.flush_rows = 20;
  scene.run_once();
  CHECK(test::what_is_amiss(scene.archive, 0, 600).empty());
}

TEST_CASE("a disk that fills while a file is published: nothing half, and whole when there is room") {
  const test::SmallDisk disk(kDisk);
  const test::TempDir folder;
  Scene scene(disk.path() / "archive", folder / "staging");
  scene.source.extents = {{scene.chain, {0, 20}}};
  scene.run_once();
  scene.source.extents[scene.chain].end = 600;
  scene.source.body_bytes = 100'000;
  scene.source.incompressible = true;
  const std::string why = scene.error_of_run();
  INFO(why);
  CHECK(why.find("No space left on device") != std::string::npos);
  std::uint64_t files = 0;
  scene.store.list("raw/", "", [&](const StoredObject&) { ++files; });
  CHECK(files == 1);
  CHECK(test::archived_rows(disk.path() / "archive").rows == 20);
  // Somebody makes room: here by records that are shorter.
  scene.source.incompressible = false;
  scene.run_once();
  CHECK(test::what_is_amiss(scene.archive, 0, 600).empty());
  CHECK(test::archived_rows(disk.path() / "archive").rows == 600);
}

TEST_CASE("an archive that is gone from under its archiver is not begun anew, and the source waits") {
  const test::TempDir folder;
  const fs::path place = folder / "archive";
  const fs::path elsewhere = folder / "elsewhere";
  Scene scene(place, folder / "staging");
  Archiver archiver(scene.archive, scene.source, scene.encoder, scene.options);
  archiver.run_once();
  for (const char* when : {"before a round", "in a round", "with a chain that is new"}) {
    INFO(when);
    const bool within = std::string_view(when) == "in a round";
    const std::uint64_t had = scene.source.extents[scene.chain].end;
    scene.more();
    if (std::string_view(when).starts_with("with")) scene.source.extents[{"shop", "2"}] = {0, 10, 0};
    const auto take_away = [&] {
      fs::rename(place, elsewhere);
      scene.source.before_read = {};
    };
    if (within)
      scene.source.before_read = [&](std::uint64_t) { take_away(); };
    else
      take_away();
    std::string why;
    try {
      archiver.run_once();
    } catch (const StorageError& error) {
      why = error.what();
    }
    CHECK(why.find("is its disk mounted?") != std::string::npos);
    CHECK(why.find('\n') == std::string::npos);
    CHECK(scene.source.extents[scene.chain].archived == had);
    CHECK_FALSE(fs::exists(place / "_commits"));
    CHECK_FALSE(fs::exists(place / "raw"));
    fs::remove_all(place);
    fs::rename(elsewhere, place);
    archiver.run_once();
    scene.source.extents.erase({"shop", "2"});
  }
  CHECK(test::what_is_amiss(scene.archive, 0, 400).size() == 1);  // the short chain
  CHECK(test::archived_rows(place).rows == 810);
}

TEST_CASE("what dead processes left in staging goes, what living ones have there stays") {
  const test::TempDir folder;
  const fs::path shared = folder / "staging";
  folder.write("staging/segue-staging-99999-1/alive.lock", "");
  folder.write("staging/segue-staging-99999-1/chunk.parquet", "x");
  folder.write("staging/segue-staging-99998-1/chunk.parquet", "died before it had a lock");
  folder.write("staging/letter.txt", "not ours");
  {
    const Staging one(shared);
    const Staging two(shared);
    CHECK(fs::exists(one.folder()));
    CHECK(fs::exists(two.folder()));
    CHECK_FALSE(fs::exists(shared / "segue-staging-99999-1"));
    CHECK_FALSE(fs::exists(shared / "segue-staging-99998-1"));
  }
  CHECK(fs::exists(shared / "letter.txt"));
  for (const auto& entry : fs::directory_iterator(shared)) CHECK_FALSE(entry.is_directory());
}

std::string error_of_staging(const fs::path& shared) {
  try {
    const Staging staging(shared);
  } catch (const StorageError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("nobody but its user looks into a staging folder") {
  const test::TempDir folder;
  const fs::path shared = folder / "a/staging";
  const Staging staging(shared);
  CHECK(fs::status(shared).permissions() == fs::perms::owner_all);
  CHECK(fs::status(staging.folder()).permissions() == fs::perms::owner_all);
}

TEST_CASE("a staging folder that is a link or another user's is refused") {
  const test::TempDir folder;
  fs::create_directory(folder / "elsewhere");
  fs::create_directory_symlink(folder / "elsewhere", folder / "staging");
  for (const char* name : {"staging", "staging/"})
    CHECK(error_of_staging(folder / name).find("symbolic link") != std::string::npos);
  CHECK(fs::is_empty(folder / "elsewhere"));
  if (::geteuid() != 0) return;  // only root can give a folder away
  REQUIRE(::chown((folder / "elsewhere").c_str(), 65'534, 65'534) == 0);
  CHECK(error_of_staging(folder / "elsewhere").find("another user") != std::string::npos);
  CHECK(fs::is_empty(folder / "elsewhere"));
}

TEST_CASE("a staging folder that cannot be made is named, with what to do") {
  const test::TempDir folder;
  folder.write("taken", "a file");
  std::string why;
  try {
    const Staging staging(folder / "taken/staging");
  } catch (const StorageError& error) {
    why = error.what();
  }
  CHECK(why.find((folder / "taken/staging").string()) != std::string::npos);
  CHECK(why.find("--staging") != std::string::npos);
}

}  // namespace
}  // namespace segue::warehouse
