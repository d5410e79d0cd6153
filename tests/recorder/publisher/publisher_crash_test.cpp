// A process is killed while it publishes; the next one publishes the rest.

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>
#include <vector>

#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/mock_cluster.hpp"
#include "tests/recorder/publisher/published_journal.hpp"
#include "tests/support/process.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using namespace std::chrono_literals;

// Starts a publisher over the folder, kills it at a random moment, and returns the numbers it said
// were on record.
std::vector<std::uint64_t> publish_until_killed(const std::filesystem::path& folder,
                                                const std::string& brokers, std::uint64_t first,
                                                std::size_t lines) {
  segue::test::Process victim(
      {SEGUE_PUBLISHER_VICTIM, (folder / "journal").string(), brokers, std::to_string(first)},
      folder / "out");
  std::uint64_t end = first;
  for (; lines > 0; --lines) {
    const auto line = victim.next_error_line();
    REQUIRE(line.has_value());
    end = std::stoull(*line);
  }
  victim.signal(SIGKILL);
  CHECK(victim.wait().signal == SIGKILL);
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t n = first; n < end; ++n) numbers.push_back(n);
  return numbers;
}

TEST_CASE("what a killed process had on record is published by the next one, in order") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  segue::test::TempDir folder;
  std::mt19937_64 random(std::random_device{}());
  constexpr std::uint64_t kApart = 1'000'000;  // it may have come further than it could say
  std::set<std::uint64_t> wanted;
  for (unsigned round = 0; round < segue::test::rounds(6); ++round) {
    const auto numbers = publish_until_killed(folder.path(), cluster.bootstrap(), round * kApart,
                                              random() % 100 + 1);
    wanted.insert(numbers.begin(), numbers.end());
  }
  Log log;
  Journal journal(published_journal_settings(folder / "journal"), 2, kKiB);
  Publisher publisher(settings_for(cluster.bootstrap()), journal,
                      {.log = log.sink(), .timings = quick()});
  publisher.start();
  publisher.finish(60s);
  const auto status = publisher.status();
  CHECK(status.lag.records == 0);
  CHECK(status.lost_frames == 0);
  // All of it was left by the dead, who may have sent it.
  CHECK(status.published_records == status.redelivered_records);

  TopicReader reader(cluster.bootstrap(), kTopic);
  const auto& records = reader.read_until(
      [&, at = std::size_t{0}, left = wanted](const TopicReader::Records& read) mutable {
        for (; at < read.size(); ++at) left.erase(number_of(read[at]));
        return left.empty();
      });
  check_order(records);
}

}  // namespace
}  // namespace segue::recorder
