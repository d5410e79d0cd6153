// Records lie where the Java client would have put them.

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/recorder/journal_fixture.hpp"
#include "tests/recorder/publisher/mock_cluster.hpp"
#include "tests/recorder/publisher/published_journal.hpp"

namespace segue::recorder {
namespace {

using namespace segue::recorder::test;
using namespace std::chrono_literals;

// org.apache.kafka.common.utils.Utils.murmur2, written anew from its definition: MurmurHash2 with
// seed 0x9747b28c, on signed 32 bits in Java, which is the same modulo 2^32.
std::uint32_t java_murmur2(std::string_view data) {
  constexpr std::uint32_t kMultiplier = 0x5bd1e995;
  const auto byte = [&](std::size_t at) {
    return std::uint32_t{static_cast<unsigned char>(data[at])};
  };
  std::uint32_t hash = 0x9747b28cU ^ static_cast<std::uint32_t>(data.size());
  std::size_t at = 0;
  for (; at + 4 <= data.size(); at += 4) {
    std::uint32_t word = byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    word *= kMultiplier;
    word ^= word >> 24;
    word *= kMultiplier;
    hash *= kMultiplier;
    hash ^= word;
  }
  const std::size_t rest = data.size() - at;
  if (rest >= 3) hash ^= byte(at + 2) << 16;
  if (rest >= 2) hash ^= byte(at + 1) << 8;
  if (rest >= 1) {
    hash ^= byte(at);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return hash;
}

std::int32_t java_partition(std::string_view key, std::uint32_t partitions) {
  return static_cast<std::int32_t>((java_murmur2(key) & 0x7fffffff) % partitions);
}

TEST_CASE("the hash is the one of Kafka's own test") {
  // UtilsTest.testMurmur2 of Apache Kafka.
  const std::map<std::string, std::int32_t> expected{
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107}};
  for (const auto& [key, hash] : expected)
    CHECK(static_cast<std::int32_t>(java_murmur2(key)) == hash);
}

TEST_CASE("librdkafka's partitioner agrees with the Java client's, also for an empty key") {
  const std::vector<std::string> keys{"",
                                      "a",
                                      "ab",
                                      "abc",
                                      "abcd",
                                      "\xff\xfe\xfd",
                                      "\xc3\xa4\xc3\xb6",
                                      std::string("\0\0\0", 3),
                                      std::string(1'000, '\x80'),
                                      "h:5Yw0m1ZbQ1q0m3p8y2vX9A"};
  for (const std::string& key : keys) {
    for (const std::uint32_t partitions : {1U, 2U, 12U, 60U, 1'000U})
      CHECK(rd_kafka_msg_partitioner_murmur2_random(nullptr, key.data(), key.size(),
                                                    static_cast<std::int32_t>(partitions), nullptr,
                                                    nullptr) == java_partition(key, partitions));
  }
}

TEST_CASE("every record lies in the partition where the Java client looks for its key") {
  constexpr int kPartitions = 12;
  MockCluster cluster;
  cluster.create_topic(kTopic, kPartitions);
  PublishedJournal published(settings_for(cluster.bootstrap()));
  for (std::uint64_t n = 0; n < 500; ++n) {
    auto exchange = exchange_number(n);
    std::string account = std::to_string(n * 2'654'435'761U);
    if (n % 3 == 1) account = "k\xc3\xb6nig-" + account;
    if (n % 3 == 2) account += std::string("\0\xff\x80", 3);
    exchange.set_account_id(account);
    if (n % 7 == 0) exchange.clear_account_id();
    append(published.journal.lane(0), exchange);
  }
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic, kPartitions);
  for (const KafkaRecord& record : reader.read(500))
    CHECK(record.partition == java_partition(record.key.value(), kPartitions));
  published.publisher.finish(60s);
  CHECK(published.publisher.status().unkeyed_records == 72);
  CHECK(published.publisher.status().partition_skew > 1);
  CHECK(published.publisher.status().partition_skew < 3);
}

TEST_CASE("a hot account is spread over its buckets when that is asked for") {
  MockCluster cluster;
  cluster.create_topic(kTopic);
  auto settings = settings_for(cluster.bootstrap());
  settings.hot_keys = {.buckets = 4, .above_percent = 50};
  PublishedJournal published(settings);
  published.append(0, 3'000, {.accounts = 1});
  published.publisher.start();
  TopicReader reader(cluster.bootstrap(), kTopic);
  std::map<std::string, std::uint64_t> keys;
  for (const KafkaRecord& record : reader.read(3'000)) ++keys[record.key.value()];
  CHECK(keys.size() == 5);
  CHECK(keys["account-0"] == 999);  // until it is known to be hot
  CHECK(keys["account-0#3"] > 300);
  published.publisher.finish(60s);
  CHECK(published.publisher.status().spread_records == 2'001);
}

}  // namespace
}  // namespace segue::recorder
