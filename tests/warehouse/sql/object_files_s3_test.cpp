// Statements over an archive in S3, on a real server.

#include <fmt/format.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <thread>

#include "tests/support/faulty_link.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/versitygw.hpp"
#include "tests/warehouse/storage/settings_for.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/storage/s3_store.hpp"

namespace segue::warehouse {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using test::Fault;

constexpr unsigned kDays = 3;
constexpr unsigned kRows = 50'000;  // a day

// Days of rows in small row groups, behind a link that fails when told.
struct Days {
  Days() {
    for (unsigned day = 0; day < kDays; ++day) write(day, kRows);
  }
  static std::string key(unsigned day) {
    return fmt::format("raw/dt=2026-11-{:02}/shop~0~00000000000000000000~9.parquet", 20 + day);
  }
  void write(unsigned day, unsigned rows) {
    Engine engine;
    const auto file = folder / "made.parquet";
    engine.run(fmt::format("COPY (SELECT i AS n, md5(i::VARCHAR) AS body FROM range({}) t(i)) TO "
                           "'{}' (FORMAT parquet, ROW_GROUP_SIZE 2048)",
                           rows, file.string()));
    store.replace_from(key(day), file);
  }

  const test::TempDir folder;
  test::Versitygw server;
  test::FaultyLink link{server.port()};
  S3Store store{{.folder = {}, .bucket = "shop", .prefix = "p"}, made(), impatient()};

 private:
  S3Settings made() const {
    server.make_bucket("shop");
    S3Settings settings = settings_for(server);
    settings.endpoint = link.url();
    return settings;
  }
  static S3Limits impatient() {
    S3Limits limits;
    limits.first_pause = std::chrono::milliseconds(1);
    limits.longest_pause = std::chrono::milliseconds(10);
    return limits;
  }
};

std::string answer(Engine& engine, const std::string& sql) {
  std::string text;
  engine.ask(sql, [&](const Engine::Row& row) {
    for (const std::string_view cell : row) text.append(cell).append(" ");
  });
  return text;
}

const std::string kPerDay =
    "SELECT dt::VARCHAR, count(*)::VARCHAR, sum(n)::VARCHAR, count(DISTINCT body)::VARCHAR "
    "FROM read_parquet('archive://raw/*/*.parquet', hive_partitioning = true) "
    "GROUP BY dt ORDER BY dt";
constexpr std::string_view kThreeDays =
    "2026-11-20 50000 1249975000 50000 2026-11-21 50000 1249975000 50000 "
    "2026-11-22 50000 1249975000 50000 ";

TEST_CASE("statements read objects of S3 by several threads") {
  Days days;
  Engine engine;
  mount(engine, days.store);
  engine.run("SET threads = 4");
  CHECK(answer(engine, kPerDay) == kThreeDays);
  const std::size_t reads = days.link.count("GET /shop/p/raw");
  CHECK(answer(engine, kPerDay) == kThreeDays);
  CHECK(days.link.count("GET /shop/p/raw") == reads);  // what is kept is not asked for again
}

TEST_CASE("days that a statement leaves out are not opened") {
  Days days;
  Engine engine;
  mount(engine, days.store);
  CHECK(answer(engine, "SELECT count(*)::VARCHAR FROM read_parquet('archive://raw/*/*.parquet', "
                       "hive_partitioning = true) WHERE dt = '2026-11-21'") == "50000 ");
  // Names are signed and sent strictly encoded; the first file says what columns there are.
  CHECK(days.link.count("GET /shop/p/raw/dt%3D2026-11-21/") > 0);
  CHECK(days.link.count("GET /shop/p/raw/dt%3D2026-11-22/") == 0);
}

TEST_CASE("statements over S3 get over what passes") {
  Days days;
  Engine engine;
  mount(engine, days.store);
  for (const Fault fault : {Fault::slow_down, Fault::reset_before, Fault::reset_midway,
                            Fault::truncated, Fault::server_error})
    days.link.plan("GET", "/p/raw/", fault);
  for (const Fault fault : {Fault::slow_down, Fault::reset_before}) {
    days.link.plan("HEAD", "/p/raw/", fault);
    days.link.plan("GET", "list-type", fault);
  }
  CHECK(answer(engine, kPerDay) == kThreeDays);
  CHECK(days.link.unmet() == 0);
}

TEST_CASE("a statement says in one line what S3 refuses") {
  Days days;
  Engine engine;
  mount(engine, days.store);
  days.link.plan("GET", "/p/raw/", Fault::slow_down, 1'000);
  CHECK_THROWS_MATCHES(answer(engine, kPerDay), RemoteError,
                       MessageMatches(ContainsSubstring("it answers 503 SlowDown")));
}

TEST_CASE("objects of S3 that are replaced while statements read them are never mixed") {
  Days days;
  Engine engine;
  mount(engine, days.store, {.block_bytes = 4'096, .total_bytes = 1 << 20});
  std::atomic<bool> over{false};
  unsigned failed = 0;
  unsigned answered = 0;
  {
    std::jthread writer([&] {
      for (unsigned i = 0; i < 6; ++i) days.write(1, i % 2 == 0 ? kRows / 2 : kRows);
      over = true;
    });
    while (!over) {
      try {
        // The old content or the new one: the rows of a file are 0 to n - 1.
        const std::string rows = answer(
            engine, fmt::format("SELECT count(*)::VARCHAR, max(n)::VARCHAR, "
                                "count(DISTINCT body)::VARCHAR FROM read_parquet('archive://{}')",
                                Days::key(1)));
        CHECK((rows == "50000 49999 50000 " || rows == "25000 24999 25000 "));
        ++answered;
      } catch (const StorageError& error) {
        CHECK_THAT(error.what(), ContainsSubstring("was replaced while it was read"));
        ++failed;
      }
    }
  }
  CHECK(answered + failed > 0);
  CHECK(answer(engine, kPerDay) == kThreeDays);
}

}  // namespace
}  // namespace segue::warehouse
