#include "tests/support/kafka_topic.hpp"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>

namespace segue::test {
namespace {

template <auto destroy>
struct Destroy {
  template <class T>
  void operator()(T* object) const noexcept {
    destroy(object);
  }
};
using Client = std::unique_ptr<rd_kafka_t, Destroy<rd_kafka_destroy>>;
using Topic = std::unique_ptr<rd_kafka_topic_t, Destroy<rd_kafka_topic_destroy>>;
using Queue = std::unique_ptr<rd_kafka_queue_t, Destroy<rd_kafka_queue_destroy>>;
using Event = std::unique_ptr<rd_kafka_event_t, Destroy<rd_kafka_event_destroy>>;
using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Destroy<rd_kafka_NewTopic_destroy>>;
using Resource =
    std::unique_ptr<rd_kafka_ConfigResource_t, Destroy<rd_kafka_ConfigResource_destroy>>;
using Partitions = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                   Destroy<rd_kafka_topic_partition_list_destroy>>;
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, Destroy<rd_kafka_metadata_destroy>>;
using Message = std::unique_ptr<rd_kafka_message_t, Destroy<rd_kafka_message_destroy>>;

constexpr int kMilliseconds = 30'000;

void expect(rd_kafka_resp_err_t error, std::string_view doing) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw TestFailure(fmt::format("{}: {}", doing, rd_kafka_err2str(error)));
  }
}

Client make_client(rd_kafka_type_t type, const KafkaBroker& broker) {
  std::array<char, 512> text{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const std::map<std::string, std::string> properties{
      {"bootstrap.servers", broker.bootstrap()}, {"group.id", "witness"},
      {"enable.auto.commit", "false"},           {"log_level", "0"},
      {"message.max.bytes", "100000000"},        {"fetch.message.max.bytes", "10485760"},
      {"isolation.level", "read_committed"}};
  for (const auto& [key, value] : properties) {
    if (type == RD_KAFKA_PRODUCER && key != "bootstrap.servers" && key != "log_level" &&
        key != "message.max.bytes") {
      continue;
    }
    if (rd_kafka_conf_set(conf, key.c_str(), value.c_str(), text.data(), text.size()) !=
        RD_KAFKA_CONF_OK) {
      rd_kafka_conf_destroy(conf);
      throw TestFailure(text.data());
    }
  }
  Client client(rd_kafka_new(type, conf, text.data(), text.size()));
  if (!client) throw TestFailure(text.data());
  return client;
}

// The answer to one request of the admin API, sent by `ask(client, queue)`.
template <class Ask>
Event administer(const KafkaBroker& broker, const Ask& ask) {
  const auto client = make_client(RD_KAFKA_PRODUCER, broker);
  const Queue queue(rd_kafka_queue_new(client.get()));
  ask(client.get(), queue.get());
  Event event(rd_kafka_queue_poll(queue.get(), kMilliseconds));
  if (!event) throw TestFailure("the broker does not answer");
  expect(rd_kafka_event_error(event.get()), "the admin API");
  return event;
}

void create(const KafkaBroker& broker, const std::string& name, const TopicSettings& settings) {
  std::array<char, 512> text{};
  const NewTopic topic(rd_kafka_NewTopic_new(name.c_str(), settings.partitions, settings.replicas,
                                             text.data(), text.size()));
  if (!topic) throw TestFailure(text.data());
  for (const auto& [key, value] : settings.configuration) {
    expect(rd_kafka_NewTopic_set_config(topic.get(), key.c_str(), value.c_str()), key);
  }
  const auto answer = administer(broker, [&](rd_kafka_t* client, rd_kafka_queue_t* queue) {
    rd_kafka_NewTopic_t* wanted = topic.get();
    rd_kafka_CreateTopics(client, &wanted, 1, nullptr, queue);
  });
  std::size_t count = 0;
  const auto* const* results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer.get()), &count);
  expect(rd_kafka_topic_result_error(results[0]), "cannot create the topic " + name);
}

KafkaRecord copy(const rd_kafka_message_t& message) {
  KafkaRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  const auto text = [](const void* data, std::size_t size) {
    return std::string(static_cast<const char*>(data), size);
  };
  if (message.key != nullptr) record.key = text(message.key, message.key_len);
  if (message.payload != nullptr) record.value = text(message.payload, message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    record.headers.emplace_back(name, text(value, size));
  }
  return record;
}

// The partitions of a topic; none when there is no such topic.
int partitions_of(rd_kafka_t* client, const std::string& name) {
  const Topic topic(rd_kafka_topic_new(client, name.c_str(), nullptr));
  const rd_kafka_metadata_t* found = nullptr;
  expect(rd_kafka_metadata(client, 0, topic.get(), &found, kMilliseconds), "metadata of " + name);
  const Metadata metadata(found);
  if (metadata->topic_cnt != 1 || metadata->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  return metadata->topics[0].partition_cnt;
}

// Reads every partition from its start to the end that it has now.
std::vector<KafkaRecord> read_all(rd_kafka_t* client, const std::string& name) {
  std::vector<KafkaRecord> records;
  const int partitions = partitions_of(client, name);
  for (int partition = 0; partition < partitions; ++partition) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    // A fresh or a moving partition has no leader yet: this asks again, over the network.
    const Deadline leader;
    auto error = RD_KAFKA_RESP_ERR_NO_ERROR;
    do {
      error = rd_kafka_query_watermark_offsets(client, name.c_str(), partition, &low, &high,
                                               kMilliseconds);
    } while (error != RD_KAFKA_RESP_ERR_NO_ERROR && leader.left() > 0);
    expect(error, "offsets of " + name);
    if (low == high) continue;
    const Partitions one(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(one.get(), name.c_str(), partition)->offset = low;
    expect(rd_kafka_assign(client, one.get()), "assign");
    const Deadline deadline;
    // Offsets may have holes; the position passes them.
    for (std::int64_t position = low; position < high;) {
      const Message message(rd_kafka_consumer_poll(client, 100));
      if (message && message->err == RD_KAFKA_RESP_ERR_NO_ERROR) records.push_back(copy(*message));
      if (rd_kafka_position(client, one.get()) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        position = std::max(position, one->elems[0].offset);
      }
      if (deadline.left() == 0) throw TestFailure("cannot read all of " + name);
    }
  }
  return records;
}

}  // namespace

std::optional<std::string> KafkaRecord::header(std::string_view name) const {
  for (const auto& [title, content] : headers) {
    if (title == name) return content;
  }
  return std::nullopt;
}

std::string random_topic_name() {
  std::random_device random;
  return fmt::format("test-{:08x}{:08x}", random(), random());
}

KafkaTopic::KafkaTopic(const KafkaBroker& broker, const TopicSettings& settings)
    : KafkaTopic(broker, random_topic_name(), settings) {}

KafkaTopic::KafkaTopic(const KafkaBroker& broker, std::string name, const TopicSettings& settings)
    : KafkaTopic(broker, std::move(name), NotCreated{}) {
  create(broker, name_, settings);
}

KafkaTopic KafkaTopic::named(const KafkaBroker& broker, std::string name) {
  return {broker, std::move(name), NotCreated{}};
}

std::vector<KafkaRecord> KafkaTopic::records() const {
  const auto client = make_client(RD_KAFKA_CONSUMER, *broker_);
  rd_kafka_poll_set_consumer(client.get());
  return read_all(client.get(), name_);
}

std::vector<KafkaRecord> KafkaTopic::wait_for(std::size_t count, const Deadline& deadline) const {
  const auto client = make_client(RD_KAFKA_CONSUMER, *broker_);
  rd_kafka_poll_set_consumer(client.get());
  for (;;) {
    auto found = read_all(client.get(), name_);  // a round trip for each look: not a busy loop
    if (found.size() >= count) return found;
    if (deadline.left() == 0) {
      throw TestFailure(fmt::format("{} records of {} in {}", found.size(), count, name_));
    }
    const Message more(rd_kafka_consumer_poll(client.get(), 50));  // waits; read again with all
  }
}

void KafkaTopic::configure(const std::string& key, const std::string& value) const {
  // By the tool: an incremental change, which this library's API does not have.
  broker_->tool("configs", {"--alter", "--entity-type", "topics", "--entity-name", name_,
                            "--add-config", fmt::format("{}={}", key, value)});
}

void KafkaTopic::produce(const std::string& key, const std::string& value) const {
  const auto client = make_client(RD_KAFKA_PRODUCER, *broker_);
  const Topic topic(rd_kafka_topic_new(client.get(), name_.c_str(), nullptr));
  if (rd_kafka_produce(topic.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                       const_cast<char*>(value.data()), value.size(), key.data(), key.size(),
                       nullptr) != 0) {
    throw TestFailure("cannot produce to " + name_);
  }
  expect(rd_kafka_flush(client.get(), kMilliseconds), "flush");
}

}  // namespace segue::test
