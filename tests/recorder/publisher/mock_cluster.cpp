#include "tests/recorder/publisher/mock_cluster.hpp"

#include <array>

namespace segue::recorder::test {
namespace {

using segue::test::TestFailure;

void set(rd_kafka_conf_t* conf, const char* property, const std::string& value) {
  std::array<char, 256> why{};
  if (rd_kafka_conf_set(conf, property, value.c_str(), why.data(), why.size()) != RD_KAFKA_CONF_OK)
    throw TestFailure(why.data());
}

rd_kafka_t* make(rd_kafka_type_t type, rd_kafka_conf_t* conf) {
  std::array<char, 256> why{};
  rd_kafka_conf_set_log_cb(conf, [](const rd_kafka_t*, int, const char*, const char*) {});
  set(conf, "log_level", "0");
  rd_kafka_t* const handle = rd_kafka_new(type, conf, why.data(), why.size());
  if (handle == nullptr) throw TestFailure(why.data());
  return handle;
}

void check(rd_kafka_resp_err_t error) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw TestFailure(rd_kafka_err2str(error));
}

}  // namespace

MockCluster::MockCluster(int brokers)
    : handle_(make(RD_KAFKA_PRODUCER, rd_kafka_conf_new())),
      cluster_(rd_kafka_mock_cluster_new(handle_.get(), brokers)) {
  if (cluster_ == nullptr) throw TestFailure("no mock cluster");
}

MockCluster::~MockCluster() {
  rd_kafka_mock_cluster_destroy(cluster_);
}

std::string MockCluster::bootstrap() const {
  return rd_kafka_mock_cluster_bootstraps(cluster_);
}

void MockCluster::create_topic(const std::string& name, int partitions) {
  check(rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1));
}

void MockCluster::fail(Request request, const std::vector<rd_kafka_resp_err_t>& errors) {
  rd_kafka_mock_push_request_errors_array(cluster_, static_cast<std::int16_t>(request),
                                          errors.size(), errors.data());
}

void MockCluster::no_more_failures(Request request) {
  rd_kafka_mock_clear_request_errors(cluster_, static_cast<std::int16_t>(request));
}

void MockCluster::delay(std::int32_t broker, int milliseconds) {
  check(rd_kafka_mock_broker_set_rtt(cluster_, broker, milliseconds));
}

void MockCluster::topic_error(const std::string& topic, rd_kafka_resp_err_t error) {
  rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), error);
}

void MockCluster::set_leader(const std::string& topic, std::int32_t partition,
                             std::int32_t broker) {
  check(rd_kafka_mock_partition_set_leader(cluster_, topic.c_str(), partition, broker));
}

void MockCluster::all_down() {
  check(rd_kafka_mock_broker_set_down(cluster_, -1));
}
void MockCluster::all_up() {
  check(rd_kafka_mock_broker_set_up(cluster_, -1));
}

TopicReader::TopicReader(const std::string& bootstrap, const std::string& topic, int partitions) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", bootstrap);
  set(conf, "group.id", "witness");
  set(conf, "enable.auto.commit", "false");
  set(conf, "auto.offset.reset", "earliest");
  set(conf, "fetch.wait.max.ms", "10");
  set(conf, "fetch.error.backoff.ms", "10");
  handle_.reset(make(RD_KAFKA_CONSUMER, conf));
  rd_kafka_poll_set_consumer(handle_.get());
  rd_kafka_topic_partition_list_t* const list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  const auto error = rd_kafka_assign(handle_.get(), list);
  rd_kafka_topic_partition_list_destroy(list);
  check(error);
}

TopicReader::~TopicReader() {
  rd_kafka_consumer_close(handle_.get());
}

namespace {

KafkaRecord copy_of(rd_kafka_message_t& message) {
  KafkaRecord record;
  record.partition = message.partition;
  record.offset = message.offset;
  rd_kafka_timestamp_type_t type;
  record.timestamp_ms = rd_kafka_message_timestamp(&message, &type);
  if (message.key != nullptr)
    record.key.emplace(static_cast<const char*>(message.key), message.key_len);
  if (message.payload != nullptr)
    record.value.emplace(static_cast<const char*>(message.payload), message.len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != 0) return record;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; ++i)
    record.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
  return record;
}

}  // namespace

const TopicReader::Records& TopicReader::read_until(
    const std::function<bool(const Records&)>& enough, const Deadline& deadline) {
  while (!enough(records_)) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(handle_.get(), deadline.left());
    if (message == nullptr)
      throw TestFailure("only " + std::to_string(records_.size()) + " records came");
    if (message->err == 0) records_.push_back(copy_of(*message));
    rd_kafka_message_destroy(message);
  }
  return records_;
}

}  // namespace segue::recorder::test
