#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/kafka_broker.hpp"
#include "tests/support/patience.hpp"

namespace segue::test {

struct KafkaRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;  // absent: a tombstone
  std::vector<std::pair<std::string, std::string>> headers;

  // The first header of that name.
  std::optional<std::string> header(std::string_view name) const;
};

struct TopicSettings {
  int partitions = 1;
  int replicas = -1;                                   // the broker's default
  std::map<std::string, std::string> configuration{};  // e.g. {"max.message.bytes", "2048"}
};

// "test-" and something that no other test takes.
std::string random_topic_name();

// A topic of a broker as a witness sees it: with librdkafka and none of the code under test. The
// broker must outlive it. One thread.
class KafkaTopic {
 public:
  // Creates it, under a random name or the one given.
  explicit KafkaTopic(const KafkaBroker& broker, const TopicSettings& settings = {});
  KafkaTopic(const KafkaBroker& broker, std::string name, const TopicSettings& settings);
  // Names one that exists, or will.
  static KafkaTopic named(const KafkaBroker& broker, std::string name);

  const std::string& name() const { return name_; }
  // All that it holds now, by partition and offset.
  std::vector<KafkaRecord> records() const;
  // The same, as soon as it holds at least `count`; throws TestFailure when that does not happen.
  std::vector<KafkaRecord> wait_for(std::size_t count, const Deadline& deadline = Deadline{}) const;
  // Changes one setting of the topic; takes effect before this returns.
  void configure(const std::string& key, const std::string& value) const;
  // Writes one record, as somebody else would; waits until it is acknowledged.
  void produce(const std::string& key, const std::string& value) const;

 private:
  struct NotCreated {};
  KafkaTopic(const KafkaBroker& broker, std::string name, NotCreated)
      : broker_(&broker), name_(std::move(name)) {}

  const KafkaBroker* broker_;
  std::string name_;
};

}  // namespace segue::test
