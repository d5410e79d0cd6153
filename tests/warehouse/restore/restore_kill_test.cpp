// `seguectl restore` is killed at any moment, and run again.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <random>

#include "exchange/id.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/warehouse/archive/archived_topic.hpp"

namespace segue::warehouse {
namespace {

using test::KafkaBroker;
using test::KafkaTopic;
using test::Process;

constexpr int kPartitions = 3;
constexpr unsigned kRecords = 1'500;
constexpr unsigned kMostKills = 2;  // in a round

// Restores of an archived topic into others.
class Restoring {
 public:
  Restoring() : archived_(kPartitions) {
    publish(archived_.topic(), 0, kRecords, kPartitions);
    archived_.archive_once();
  }

  // Where each record was, and what it was, but for the header of who put it back.
  static std::vector<std::string> texts_of(const KafkaTopic& topic) {
    std::vector<std::string> texts;
    for (const test::KafkaRecord& record : topic.records())
      texts.push_back(fmt::format("{} {} {} {}", record.partition, record.timestamp_ms,
                                  record.key.value_or("(none)"),
                                  record.header("segue-id").value_or("(none)")));
    return texts;
  }
  // What `seguectl restore` is to leave: the archive knows ids, the producer of tests writes none.
  std::vector<std::string> expected() {
    std::vector<std::string> texts;
    for (const test::KafkaRecord& record : archived_.topic().records()) {
      v1::Exchange exchange;
      exchange.ParseFromString(record.value.value_or(""));
      const auto id = ExchangeId::from_bytes(exchange.id());
      texts.push_back(fmt::format("{} {} {} {}", record.partition, record.timestamp_ms,
                                  record.key.value_or("(none)"), id ? id->text() : "(none)"));
    }
    return texts;
  }

  std::vector<std::string> command(const KafkaTopic& target) {
    return {test::seguectl_path(), "restore",
            fmt::format("kafka://{}/{}", KafkaBroker::shared().bootstrap(), target.name()),
            "--source", archived_.topic().name(), "--from", archived_.archive().store().name(),
            "--yes"};
  }
  // Killed after so long, or with so many more records there, whichever `random` says.
  void kill_one(const KafkaTopic& target, std::mt19937& random) {
    const std::size_t before = target.records().size();
    Process restoring(command(target), folder_ / "out");
    if (random() % 2 == 0) {
      target.wait_for(before + random() % (kRecords - before + 1));
    } else {
      const test::Deadline moment(std::chrono::milliseconds(random() % 1'000));
      try {
        while (restoring.next_error_line(moment)) {
        }
      } catch (const test::TestFailure&) {
        // its moment has come
      }
    }
    restoring.signal(SIGKILL);
    restoring.wait();
  }

 private:
  ArchivedTopic archived_;
  test::TempDir folder_;
};

TEST_CASE("a restore that is killed and run again doubles nothing and leaves nothing out") {
  const unsigned all_rounds = test::rounds(3);
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  Restoring restoring;
  const auto expected = restoring.expected();
  REQUIRE(expected.size() == kRecords);
  for (unsigned round = 0; round < all_rounds; ++round) {
    const KafkaTopic target(KafkaBroker::shared(), {.partitions = kPartitions,
                                                    .configuration = {{"retention.ms", "-1"}}});
    for (unsigned kills = 1 + random() % kMostKills; kills > 0; --kills)
      restoring.kill_one(target, random);
    const auto last = test::run_command(restoring.command(target));
    CAPTURE(round, last.out, last.err);
    CHECK(last.exit_code == 0);
    CHECK(Restoring::texts_of(target) == expected);
  }
}

}  // namespace
}  // namespace segue::warehouse
