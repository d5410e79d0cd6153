// seguectl lag, as a user runs it: the publisher behind a journal, groups behind a real topic.
#include <boost/json.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "recorder/journal/cursor.hpp"
#include "recorder/journal/journal.hpp"
#include "recorder/recorder.hpp"
#include "tests/kafka/record_producer.hpp"
#include "tests/recorder/sample_exchange.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::test {
namespace {

boost::json::value lag(const std::vector<std::string>& arguments, int exit_code = 0) {
  std::vector<std::string> command{seguectl_path(), "lag", "-o", "json"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const CommandResult result = run_command(command);
  INFO(result.err);
  REQUIRE(result.exit_code == exit_code);
  return boost::json::parse(result.out);
}

TEST_CASE("a group's lag is told per partition, and --max makes it an exit code") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 2});
  produce(KafkaBroker::shared(), topic.name(),
          {{0, "a", "1"}, {0, "a", "2"}, {0, "a", "3"}, {1, "b", "4"}});
  const std::string group = topic.name() + "-group";
  commit(KafkaBroker::shared(), group, topic.name(), {{0, 1}, {1, 1}});
  const std::vector<std::string> asked{"--group", group, "--brokers",
                                       KafkaBroker::shared().bootstrap()};
  const boost::json::value found = lag(asked).at("groups").at(0);
  CHECK(found.at("state").as_string() == "Empty");
  CHECK(found.at("lag").to_number<int>() == 2);
  CHECK(found.at("partitions").at(0).at("committed").to_number<int>() == 1);
  CHECK(found.at("partitions").at(0).at("end").to_number<int>() == 3);
  CHECK(found.at("expiry").at("state").as_string() == "later");  // a week is the broker's default

  std::vector<std::string> strict = asked;
  strict.insert(strict.end(), {"--max", "1", "--warn-before", "30d"});
  CHECK(lag(strict, 1).at("groups").at(0).at("expiry").at("state").as_string() == "soon");
  strict = asked;
  strict.insert(strict.end(), {"--max", "2"});
  lag(strict);

  const auto all = lag({"--brokers", KafkaBroker::shared().bootstrap()});
  bool listed = false;
  for (const auto& one : all.at("groups").as_array())
    listed = listed || one.at("group").as_string() == group;
  CHECK(listed);
}

TEST_CASE("a group that does not exist is told, and is no group without a lag") {
  const std::string brokers = KafkaBroker::shared().bootstrap();
  const CommandResult result =
      run_command({seguectl_path(), "lag", "--group", "segue-archivr", "--brokers", brokers});
  CHECK(result.exit_code == 1);
  CHECK(result.err ==
        "seguectl: there is no group 'segue-archivr'; `seguectl lag` without --group lists all\n");
}

TEST_CASE("the publisher's lag is what stands behind its cursor, in any run") {
  const TempDir folder;
  recorder::JournalSettings settings;
  settings.directory = folder.path();
  settings.max_bytes = 8 << 20;
  settings.segment_bytes = 1 << 20;
  recorder::Journal journal(settings, 1, 64 << 10);
  recorder::Recorder recorder(journal.lane(0), {},
                              recorder::load_or_make_account_key(folder.path()));
  for (std::uint64_t n = 1; n <= 500; ++n) {
    SampleExchange sample;
    SampleExchange::fill_browser_page(sample);
    sample.view.id = id_number(n);
    sample.connect();
    recorder::IntentTicket none;
    REQUIRE(recorder.append(sample.view, recorder::kUnrouted, none).has_value());
  }
  const std::vector<std::string> asked{"--journal", folder.path().string()};
  const auto before = lag(asked).at("publisher");
  CHECK(before.at("records").to_number<int>() == 500);
  CHECK(before.at("runs").at(0).at("gateway").as_string() == "runs");
  CHECK(before.at("runs").at(0).at("bytes").to_number<int>() > 500 * 1'000);
  CHECK(before.at("runs").at(0).at("oldest").is_string());

  recorder::Cursor cursor;
  cursor.lanes[0] = 493;
  REQUIRE(recorder::store_cursor(journal.run(), "publisher", cursor).has_value());
  CHECK(lag(asked).at("publisher").at("records").to_number<int>() == 7);
  std::vector<std::string> strict = asked;
  strict.insert(strict.end(), {"--max", "5"});
  lag(strict, 1);
  cursor.lanes[0] = 500;
  REQUIRE(recorder::store_cursor(journal.run(), "publisher", cursor).has_value());
  CHECK(lag(asked).at("publisher").at("runs").at(0).at("oldest").is_null());
}

TEST_CASE("a lane that cannot be opened is an error, not a lag of nothing") {
  const TempDir folder;
  recorder::JournalSettings settings;
  settings.directory = folder.path();
  settings.max_bytes = 8 << 20;
  settings.segment_bytes = 1 << 20;
  std::filesystem::path lane;
  {
    const recorder::Journal journal(settings, 1, 64 << 10);
    lane = journal.run() / "0";
  }
  std::filesystem::remove_all(lane);
  std::filesystem::create_directories(lane.parent_path());
  std::filesystem::create_directory_symlink("0", lane);  // there, and not to be opened
  const CommandResult result =
      run_command({seguectl_path(), "lag", "--journal", folder.path().string()});
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(result.err.find("Too many levels of symbolic links") != std::string::npos);
}

TEST_CASE("a broker that is away does not hide the publisher's lag") {
  const TempDir folder;
  std::vector<std::string> command{seguectl_path(), "lag", "-o", "json", "--journal",
                                   folder.path().string(), "--brokers", "127.0.0.1:1",
                                   "--timeout", "0.3"};
  const CommandResult result = run_command(command);
  CHECK(result.exit_code == 3);
  CHECK(boost::json::parse(result.out).at("publisher").at("records").to_number<int>() == 0);
}

}  // namespace
}  // namespace segue::test
