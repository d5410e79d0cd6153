// Statements over objects of a store that is no folder.

#include "warehouse/sql/object_files.hpp"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "tests/support/temp_dir.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Message;
using Catch::Matchers::MessageMatches;

// A folder seen as if it were far away; counts what is read, and fails when told so.
class FarStore : public FolderStore {
 public:
  using FolderStore::FolderStore;
  std::optional<std::filesystem::path> file_of(std::string_view) const override {
    return std::nullopt;
  }
  std::optional<ObjectVersion> version(std::string_view key) override {
    ++asked;
    auto found = ObjectStore::version(key);
    if (found && tag) found->tag = *tag;
    return found;
  }
  std::string read_version(std::string_view key, const ObjectVersion& of, std::uint64_t offset,
                           std::uint64_t bytes) override {
    if (before_read) before_read();
    if (tag && of.tag != *tag) throw StorageError(fmt::format("{}: {} was replaced", name(), key));
    ++reads;
    bytes_read += bytes;
    return read(key, offset, bytes);
  }

  std::optional<std::string> tag{"one"};  // nullopt: it cannot tell versions apart
  std::function<void()> before_read;
  std::atomic<unsigned> asked{0};
  std::atomic<unsigned> reads{0};
  std::atomic<std::uint64_t> bytes_read{0};
};

// Two days of rows in small row groups.
struct Written {
  Written() {
    for (const int day : {20, 21}) write(fmt::format("raw/dt=2026-11-{}/shop~0~1.parquet", day));
  }
  void write(const std::string& key, unsigned rows = 20'000) {
    Engine engine;
    const auto file = folder / "made.parquet";
    engine.run(fmt::format("COPY (SELECT i AS n, md5(i::VARCHAR) AS body FROM range({}) t(i)) TO "
                           "'{}' (FORMAT parquet, ROW_GROUP_SIZE 2048)",
                           rows, file.string()));
    store.replace_from(key, file);
  }

  const test::TempDir folder;
  FarStore store{folder / "archive"};
};

std::string answer(Engine& engine, const std::string& sql) {
  std::string text;
  engine.ask(sql, [&](const Engine::Row& row) {
    for (const std::string_view cell : row) text.append(cell).append(" ");
  });
  return text;
}

void drain(Engine::Rows& rows) {
  while (rows.next() != nullptr) {
  }
}

TEST_CASE("objects are read by key, by pattern and by partition") {
  Written written;
  Engine engine;
  mount(engine, written.store);
  CHECK(sql_path("raw/x") == "archive://raw/x");
  CHECK(answer(engine, "SELECT sum(n)::VARCHAR FROM "
                       "read_parquet('archive://raw/dt=2026-11-20/shop~0~1.parquet')") ==
        "199990000 ");
  CHECK(answer(engine, "SELECT dt::VARCHAR, count(*)::VARCHAR, count(DISTINCT body)::VARCHAR FROM "
                       "read_parquet('archive://raw/*/*.parquet', hive_partitioning = true) "
                       "GROUP BY dt ORDER BY dt") ==
        "2026-11-20 20000 20000 2026-11-21 20000 20000 ");
  for (const char* pattern : {"**", "raw/**", "**/*.parquet", "raw/dt=2026-11-2?/shop*",
                              "raw/dt=2026-11-2[01]/**/s*.parquet"}) {
    INFO(pattern);
    CHECK(answer(engine, fmt::format("SELECT count(*)::VARCHAR FROM read_parquet('archive://{}')",
                                     pattern)) == "40000 ");
  }
}

TEST_CASE("what was read once is not asked for again") {
  Written written;
  Engine engine;
  mount(engine, written.store);
  const std::string sql = "SELECT sum(n)::VARCHAR FROM read_parquet('archive://raw/*/*.parquet')";
  CHECK(answer(engine, sql) == "399980000 ");
  const unsigned first = written.store.reads;
  CHECK(first > 0);
  CHECK(answer(engine, sql) == "399980000 ");
  CHECK(written.store.reads == first);
}

TEST_CASE("small files are read once each, by their ends, and later asked only whether they changed") {
  Written written;
  for (unsigned n = 0; n < 20; ++n) written.write(fmt::format("small/{}.parquet", n), 100);
  Engine engine;
  mount(engine, written.store);
  const std::string sql =
      "SELECT count(DISTINCT body)::VARCHAR, count(*)::VARCHAR "
      "FROM read_parquet('archive://small/*.parquet')";
  CHECK(answer(engine, sql) == "100 2000 ");
  CHECK(written.store.reads == 20);
  written.store.asked = 0;
  CHECK(answer(engine, sql) == "100 2000 ");
  CHECK(written.store.reads == 20);
  CHECK(written.store.asked >= 20);
}

TEST_CASE("a cache that holds less than a statement reads still answers") {
  Written written;
  Engine engine;
  mount(engine, written.store,
        {.block_bytes = 512, .total_bytes = 16'384, .request_bytes = 1'024});
  for (int i = 0; i < 2; ++i)
    CHECK(answer(engine, "SELECT count(DISTINCT body)::VARCHAR, max(n)::VARCHAR FROM "
                         "read_parquet('archive://raw/*/*.parquet')") == "20000 19999 ");
}

TEST_CASE("only what a statement needs is fetched") {
  Written written;
  written.write("big.parquet", 400'000);
  Engine engine;
  mount(engine, written.store);
  CHECK(answer(engine, "SELECT count(*)::VARCHAR FROM read_parquet('archive://big.parquet')") ==
        "400000 ");
  CHECK(written.store.bytes_read < *written.store.size("big.parquet") / 10);
}

TEST_CASE("an object that was replaced is read anew by the next statement") {
  Written written;
  const std::string key = "raw/dt=2026-11-20/shop~0~1.parquet";
  const std::string sql = "SELECT count(*)::VARCHAR FROM read_parquet('archive://" + key + "')";
  Engine engine;
  mount(engine, written.store);
  for (const bool tells : {true, false}) {
    written.write(key, 20'000);
    written.store.tag = tells ? std::optional<std::string>("old") : std::nullopt;
    CHECK(answer(engine, sql) == "20000 ");
    written.write(key, 10'000);
    if (tells) written.store.tag = "new";
    CHECK(answer(engine, sql) == "10000 ");
  }
}

TEST_CASE("an object that is replaced while a statement reads it fails the statement") {
  Written written;
  Engine engine;
  mount(engine, written.store);
  written.store.before_read = [&] {
    if (written.store.reads == 3) written.store.tag = "two";
  };
  CHECK_THROWS_MATCHES(
      answer(engine, "SELECT sum(length(body))::VARCHAR FROM "
                     "read_parquet('archive://raw/*/*.parquet')"),
      StorageError, MessageMatches(ContainsSubstring("was replaced")));
  written.store.before_read = nullptr;
  CHECK(answer(engine, "SELECT sum(length(body))::VARCHAR FROM "
                       "read_parquet('archive://raw/*/*.parquet')") == "1280000 ");
}

TEST_CASE("files of a folder that are replaced while statements read them are never mixed") {
  const test::TempDir folder;
  FolderStore store(folder / "archive");
  constexpr std::array kContents{"few.parquet", "many.parquet"};
  {
    Engine engine;
    for (const unsigned n : {0U, 1U})
      engine.run(
          fmt::format("COPY (SELECT i AS n, md5(i::VARCHAR) AS body FROM range({}) t(i)) TO "
                      "'{}' (FORMAT parquet, ROW_GROUP_SIZE 2048)",
                      n == 0 ? 10'000 : 20'000, (folder / kContents[n]).string()));
  }
  const std::string key = "raw/dt=2026-11-20/shop~0~1.parquet";
  store.create_from(key, folder / kContents[1]);
  Engine engine;
  mount_to_ask(engine, store);
  std::atomic<bool> over{false};
  unsigned read = 0;
  {
    std::jthread writer([&] {
      for (unsigned i = 0; i < 40; ++i) store.replace_from(key, folder / kContents[i % 2]);
      over = true;
    });
    while (!over) {
      try {
        const std::string rows =
            answer(engine, fmt::format("SELECT count(*)::VARCHAR, max(n)::VARCHAR, "
                                       "count(DISTINCT body)::VARCHAR FROM read_parquet('{}')",
                                       sql_path(key)));
        CHECK((rows == "20000 19999 20000 " || rows == "10000 9999 10000 "));
      } catch (const StorageError& error) {
        CHECK_THAT(error.what(), ContainsSubstring("was replaced while it was read"));
      }
      ++read;
    }
  }
  CHECK(read > 0);
  CHECK(answer(engine, fmt::format("SELECT count(*)::VARCHAR FROM read_parquet('{}')",
                                   sql_path(key))) == "20000 ");
}

TEST_CASE("what a store throws comes out of the statement as it is") {
  Written written;
  Engine engine;
  mount(engine, written.store);
  CHECK_THROWS_MATCHES(
      answer(engine, "SELECT n::VARCHAR FROM read_parquet('archive://raw/none.parquet')"),
      SqlError, MessageMatches(ContainsSubstring("there is no object raw/none.parquet")));
  const std::string rows = "SELECT n::VARCHAR FROM read_parquet('archive://raw/*/*.parquet')";
  written.store.before_read = [] { throw RemoteError("s3: it burns {} %s"); };
  CHECK_THROWS_MATCHES(answer(engine, rows), RemoteError, Message("s3: it burns {} %s"));
  CHECK_THROWS_MATCHES(engine.run("CREATE VIEW n AS " + rows), RemoteError,
                       Message("s3: it burns {} %s"));
  CHECK_THROWS_MATCHES(engine.open(rows), RemoteError, Message("s3: it burns {} %s"));
  // Its first blocks are read, the rest fails.
  written.store.before_read = nullptr;
  written.write("raw/large.parquet", 200'000);
  written.store.before_read = [&, begin = written.store.reads.load()] {
    if (written.store.reads >= begin + 8) throw RemoteError("s3: it burns again");
  };
  CHECK_THROWS_MATCHES(
      drain(*engine.open("SELECT body FROM read_parquet('archive://raw/large.parquet')")),
      RemoteError, Message("s3: it burns again"));
  written.store.before_read = nullptr;
  // A statement that fails by itself is not blamed on what failed before.
  CHECK_THROWS_AS(answer(engine, "SELECT 'x'::INT::VARCHAR"), SqlError);
  written.store.create("raw/foreign.parquet", "this is no Parquet file");
  written.store.create("raw/short.parquet", "P");
  for (const char* key : {"foreign", "short"})
    CHECK_THROWS_AS(answer(engine, fmt::format("SELECT n::VARCHAR FROM "
                                               "read_parquet('archive://raw/{}.parquet')",
                                               key)),
                    SqlError);
}

TEST_CASE("statements do not write to an archive") {
  Written written;
  Engine engine;
  mount(engine, written.store);
  CHECK_THROWS_AS(engine.run("COPY (SELECT 1) TO 'archive://raw/new.parquet' (FORMAT parquet)"),
                  SqlError);
  CHECK(written.store.size("raw/new.parquet") == std::nullopt);
}

TEST_CASE("a folder whose name looks like a pattern is read as every other") {
  const test::TempDir folder;
  FolderStore odd(folder / "day[1]");
  Engine engine;
  engine.run(fmt::format("COPY (SELECT 7 AS n) TO '{}' (FORMAT parquet)",
                         (folder / "seven.parquet").string()));
  odd.create_from("a/b.parquet", folder / "seven.parquet");
  mount(engine, odd);
  CHECK(answer(engine, fmt::format("SELECT n::VARCHAR FROM read_parquet('{}')",
                                   sql_path("a/b.parquet"))) == "7 ");
}

}  // namespace
}  // namespace segue::warehouse
