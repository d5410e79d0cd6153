// Topics as commands read them, on a real broker.
#include "kafka/topic_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "kafka/admin.hpp"
#include "tests/kafka/record_producer.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/kafka_topic.hpp"

namespace segue::test {
namespace {

using kafka::Cluster;
using kafka::StartPosition;
using kafka::TopicReader;
using kafka::TopicReadOptions;

constexpr std::int64_t kTime = 1'763'715'600'000;

kafka::Settings settings_of(const KafkaBroker& broker) {
  kafka::Settings settings;
  settings.brokers = {broker.bootstrap()};
  return settings;
}

// A topic of three partitions whose records' values say when they were made: 0, 1, 2, ... in turn.
void fill(const KafkaTopic& topic, int records) {
  std::vector<RecordToSend> all;
  for (int n = 0; n < records; ++n)
    all.push_back({n % 3, "key", std::to_string(n), kTime + n, {{"n", std::to_string(n)}}});
  produce(KafkaBroker::shared(), topic.name(), all);
}

std::string values(TopicReader& reader) {
  std::string text;
  while (const kafka::TopicRecord* const record = reader.next())
    text += (text.empty() ? "" : " ") + std::string(record->value.value_or("-"));
  return text;
}

std::string read(const KafkaTopic& topic, const TopicReadOptions& options) {
  Cluster cluster(settings_of(KafkaBroker::shared()), std::chrono::seconds(30));
  TopicReader reader(cluster, topic.name(), options);
  std::string text = values(reader);
  CHECK(reader.caught_up());
  CHECK(reader.passed() == reader.expected());
  return text;
}

TEST_CASE("partitions are merged by time, and reading ends where the topic ended") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
  CHECK(read(topic, {}).empty());
  fill(topic, 10);
  CHECK(read(topic, {}) == "0 1 2 3 4 5 6 7 8 9");
}

TEST_CASE("reading begins at an offset, a time, the last records or the end of each partition") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
  fill(topic, 10);
  using Kind = StartPosition::Kind;
  CHECK(read(topic, {.start = {Kind::offset, 2}}) == "6 7 8 9");
  CHECK(read(topic, {.start = {Kind::time, kTime + 7}}) == "7 8 9");
  CHECK(read(topic, {.start = {Kind::time, kTime + 1'000}}).empty());
  CHECK(read(topic, {.start = {Kind::last, 1}}) == "7 8 9");
  CHECK(read(topic, {.start = {Kind::last, 1'000}}) == "0 1 2 3 4 5 6 7 8 9");
  CHECK(read(topic, {.start = {Kind::end, 0}}).empty());
  CHECK(read(topic, {.partitions = {1}, .start = {}}) == "1 4 7");
}

TEST_CASE("key, headers, time and place come with a record") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
  fill(topic, 5);
  Cluster cluster(settings_of(KafkaBroker::shared()), std::chrono::seconds(30));
  TopicReader reader(cluster, topic.name(), {.partitions = {1}, .start = {}});
  reader.next();
  const kafka::TopicRecord* const record = reader.next();
  REQUIRE(record != nullptr);
  CHECK(record->partition == 1);
  CHECK(record->offset == 1);
  CHECK(record->unix_millis == kTime + 4);
  CHECK(record->key == "key");
  REQUIRE(record->headers.size() == 1);
  CHECK(record->headers[0].first == "n");
  CHECK(record->headers[0].second == "4");
}

TEST_CASE("a reader that follows finds what comes after it caught up") {
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 3});
  fill(topic, 4);
  Cluster cluster(settings_of(KafkaBroker::shared()), std::chrono::seconds(30));
  TopicReader reader(cluster, topic.name(),
                     {.partitions = {}, .start = {}, .end = TopicReadOptions::End::never});
  CHECK(values(reader) == "0 1 2 3");
  produce(KafkaBroker::shared(), topic.name(), {{2, "key", "new"}});
  const Deadline deadline;
  std::string found;
  while (found.empty() && deadline.left() > 0) found = values(reader);
  CHECK(found == "new");
}

TEST_CASE("a topic that is not there is said so and not made") {
  Cluster cluster(settings_of(KafkaBroker::shared()), std::chrono::seconds(30));
  const std::string name = random_topic_name();
  CHECK_THROWS_AS(TopicReader(cluster, name, {}), RemoteError);
  CHECK_FALSE(cluster.find_topic(name).has_value());
  const KafkaTopic topic(KafkaBroker::shared(), {.partitions = 1});
  CHECK_THROWS_AS(TopicReader(cluster, topic.name(), {.partitions = {5}, .start = {}}),
                  StartupError);
}

TEST_CASE("changing one entry of a topic keeps its others") {
  const KafkaTopic topic(KafkaBroker::shared(),
                         {.partitions = 1, .configuration = {{"retention.ms", "3600000"}}});
  Cluster cluster(settings_of(KafkaBroker::shared()), std::chrono::seconds(30));
  kafka::Admin admin(cluster);
  admin.change(topic.name(), {{"max.message.bytes", "2000000"}});
  const kafka::ConfigValues config = admin.topic_config(topic.name());
  CHECK(config.at("max.message.bytes").value == "2000000");
  CHECK(config.at("retention.ms").value == "3600000");
  CHECK(config.at("retention.ms").from == kafka::ConfigValue::From::topic);
  CHECK(config.at("segment.ms").from != kafka::ConfigValue::From::topic);
  CHECK_THROWS_AS(admin.change(topic.name(), {{"no.such.entry", "1"}}), RemoteError);
}

TEST_CASE("an address where nobody listens is told within the time that was given") {
  kafka::Settings settings;
  settings.brokers = {"127.0.0.1:1"};
  Cluster cluster(settings, std::chrono::milliseconds(300));
  try {
    cluster.reach();
    FAIL("it was reached");
  } catch (const RemoteError& error) {
    const std::string text = error.what();
    CHECK(text.find("127.0.0.1:1") != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  }
}

}  // namespace
}  // namespace segue::test
