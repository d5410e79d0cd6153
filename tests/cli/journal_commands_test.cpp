// seguectl journal, as a user runs it, over journals that this process wrote or writes.

#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "recorder/journal/consumers.hpp"
#include "recorder/journal/run_folder.hpp"
#include "tests/recorder/journal_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

using namespace segue::recorder::test;
using recorder::Journal;
namespace fs = std::filesystem;
namespace json = boost::json;

CommandResult journal(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {seguectl_path(), "journal"});
  return run_command(arguments);
}

std::string source(const TempDir& dir) { return "journal:" + dir.path().string(); }

json::value status(const TempDir& dir) {
  const CommandResult result = journal({"status", source(dir), "-o", "json"});
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return json::parse(result.out);
}

TEST_CASE("journal status tells of runs, lanes, and how far each consumer is") {
  const TempDir dir;
  auto settings = small_journal(dir.path());
  settings.consumers = {"publisher"};
  Journal written(settings, 2, kKiB);
  for (std::uint64_t n = 1; n <= 10; ++n) REQUIRE(append(written.lane(0), payload_of(n)));
  recorder::Cursor cursor;
  cursor.lanes[0] = 4;
  REQUIRE(recorder::store_cursor(written.run(), "publisher", cursor).has_value());
  const auto lease = recorder::ConsumerLease::take(dir.path(), "archiver");
  REQUIRE(lease.has_value());
  REQUIRE(recorder::store_cursor(written.run(), "loader", cursor).has_value());

  const json::value found = status(dir);
  const json::value& run = found.at("runs").at(0);
  CHECK(run.at("gateway").as_string() == "runs");
  CHECK(run.at("consumers").at(0).as_string() == "publisher");
  CHECK(run.at("lanes").as_array().size() == 2);
  CHECK(run.at("lanes").at(0).at("first").to_number<int>() == 1);
  CHECK(run.at("lanes").at(0).at("last").to_number<int>() == 10);
  CHECK(run.at("lanes").at(1).at("last").to_number<int>() == 0);
  const json::array& consumers = found.at("consumers").as_array();
  REQUIRE(consumers.size() == 3);
  CHECK(consumers[0].at("name").as_string() == "archiver");
  CHECK(consumers[0].at("standing").as_string() == "registered");
  CHECK(consumers[0].at("running").as_bool());
  CHECK(consumers[0].at("records").to_number<int>() == 10);
  CHECK(consumers[1].at("name").as_string() == "loader");
  CHECK(consumers[1].at("standing").as_string() == "former");
  CHECK(consumers[2].at("name").as_string() == "publisher");
  CHECK(consumers[2].at("standing").as_string() == "configured");
  CHECK(consumers[2].at("records").to_number<int>() == 6);

  const CommandResult text = journal({"status", source(dir)});
  CHECK(text.exit_code == 0);
  CHECK(text.out.find("registered") != std::string::npos);
}

TEST_CASE("journal verify reads a whole journal, and finds nothing in one that is whole") {
  const TempDir dir;
  Journal written(small_journal(dir.path()), 1, kKiB);
  for (std::uint64_t n = 1; n <= 1'000; ++n) REQUIRE(append(written.lane(0), payload_of(n, 900)));
  const CommandResult result = journal({"verify", source(dir)});
  CHECK(result.exit_code == 0);
  CHECK(result.out.starts_with("1,000 frames in 1 lanes of 1 runs"));
}

TEST_CASE("journal verify says where a journal is damaged and what that cost, and exits with 1") {
  const TempDir dir;
  auto settings = small_journal(dir.path());
  settings.consumers = {"archiver"};  // what is missing was not overwritten
  fs::path segment;
  {
    Journal written(settings, 1, kKiB);
    for (std::uint64_t n = 1; n <= 300; ++n) REQUIRE(append(written.lane(0), payload_of(n, 900)));
    segment = segments_of(written.run()).at(1);
  }
  overwrite(segment, 20 * kKiB, std::string(64, '\xFF'));
  const CommandResult result = journal({"verify", source(dir), "-o", "json"});
  CHECK(result.exit_code == 1);
  const json::value found = json::parse(result.out);
  REQUIRE(found.at("damage").as_array().size() == 1);
  const json::value& damage = found.at("damage").at(0);
  CHECK(damage.at("segment").as_string() == segment.string());
  CHECK(damage.at("what").as_string() == "crc differs");
  CHECK(damage.at("lost").to_number<int>() > 10);
  CHECK(journal({"verify", source(dir)}).out.starts_with("damaged: "));
}

TEST_CASE("journal drop-consumer only says what it would do until it is told --yes") {
  const TempDir dir;
  Journal written(small_journal(dir.path()), 1, kKiB);
  { REQUIRE(recorder::ConsumerLease::take(dir.path(), "archiver").has_value()); }
  for (std::uint64_t n = 1; n <= 10; ++n) REQUIRE(append(written.lane(0), payload_of(n)));
  const CommandResult dry = journal({"drop-consumer", "archiver", source(dir)});
  CHECK(dry.exit_code == 1);
  CHECK(dry.err.find("10 records that 'archiver' has not read would be overwritten") !=
        std::string::npos);
  CHECK(status(dir).at("consumers").as_array().size() == 1);
  CHECK(journal({"drop-consumer", "archiver", source(dir), "--yes"}).exit_code == 0);
  CHECK(status(dir).at("consumers").as_array().empty());
}

TEST_CASE("journal drop-consumer refuses one that is configured, that runs, or that is none") {
  const TempDir dir;
  auto settings = small_journal(dir.path());
  settings.consumers = {"publisher"};
  const Journal written(settings, 1, kKiB);
  const auto lease = recorder::ConsumerLease::take(dir.path(), "archiver");
  REQUIRE(lease.has_value());
  const CommandResult configured = journal({"drop-consumer", "publisher", source(dir), "--yes"});
  CHECK(configured.exit_code == 2);
  CHECK(configured.err.find("take it out of its configuration") != std::string::npos);
  const CommandResult running = journal({"drop-consumer", "archiver", source(dir), "--yes"});
  CHECK(running.exit_code == 2);
  CHECK(running.err.find("end it first") != std::string::npos);
  const CommandResult none = journal({"drop-consumer", "nobody", source(dir), "--yes"});
  CHECK(none.exit_code == 2);
  CHECK(none.err.find("see `seguectl journal status`") != std::string::npos);
}

TEST_CASE("journal commands say what is no journal, in one line, with exit code 2") {
  const TempDir dir;
  dir.write("page.html", "hello");
  for (const char* command : {"status", "verify"}) {
    for (const std::string& bad : {source(dir), std::string("journal:/nowhere"),
                                   std::string("kafka://a:1/b")}) {
      const CommandResult result = journal({command, bad});
      CHECK(result.exit_code == 2);
      CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    }
  }
}

}  // namespace
}  // namespace segue::test
