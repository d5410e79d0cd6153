#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/kafka_topic.hpp"
#include "tests/support/patience.hpp"

namespace segue::recorder::test {

using segue::test::Deadline;
using segue::test::KafkaRecord;

// Kafka's requests by their key.
enum class Request : std::int16_t { produce = 0, metadata = 3, init_producer_id = 22 };

// librdkafka's own mock of a cluster: real sockets, the real protocol as far as a producer needs
// it, and faults on demand. Topics are made when somebody asks for them, with 4 partitions.
class MockCluster {
 public:
  explicit MockCluster(int brokers = 1);
  ~MockCluster();
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;

  std::string bootstrap() const;
  void create_topic(const std::string& name, int partitions = 4);
  // The next requests of that kind fail with these, in this order.
  void fail(Request request, const std::vector<rd_kafka_resp_err_t>& errors);
  // The next produce requests to one broker are answered late or not as it should be.
  void delay(std::int32_t broker, int milliseconds);
  void no_more_failures(Request request);
  void topic_error(const std::string& topic, rd_kafka_resp_err_t error);
  void set_leader(const std::string& topic, std::int32_t partition, std::int32_t broker);
  void all_down();
  void all_up();

 private:
  struct Destroy {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  };
  std::unique_ptr<rd_kafka_t, Destroy> handle_;
  rd_kafka_mock_cluster_t* cluster_;
};

// Reads a topic from its beginning, with none of the code under test. One thread.
class TopicReader {
 public:
  TopicReader(const std::string& bootstrap, const std::string& topic, int partitions = 4);
  ~TopicReader();
  TopicReader(const TopicReader&) = delete;
  TopicReader& operator=(const TopicReader&) = delete;

  // Reads until `enough` of all that was read so far; throws TestFailure when that does not happen.
  using Records = std::vector<KafkaRecord>;
  const Records& read_until(const std::function<bool(const Records&)>& enough,
                            const Deadline& deadline = Deadline{});
  const Records& read(std::size_t count) {
    return read_until([count](const Records& records) { return records.size() >= count; });
  }

 private:
  struct Destroy {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
  };
  std::unique_ptr<rd_kafka_t, Destroy> handle_;
  Records records_;
};

}  // namespace segue::recorder::test
