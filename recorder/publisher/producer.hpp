#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/configuration.hpp"
#include "kafka/settings.hpp"
#include "recorder/publisher/flight.hpp"
#include "recorder/publisher/record.hpp"
#include "recorder/publisher/wake.hpp"

namespace segue::recorder {

// What Kafka said of one record.
struct DeliveryReport {
  Flight* flight = nullptr;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::int32_t partition = -1;
  // Of a record that failed: whether it may be in the topic nevertheless.
  Redelivery again = Redelivery::possible;
};

// What librdkafka says of itself or of a broker.
struct ClientError {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string reason;
  bool fatal = false;  // the producer can do nothing more
};

// One idempotent producer: acks=all, murmur2_random, no record ever times out, and when a record
// fails for good all behind it fail too, so that what is in the topic has no gap and order holds
// for each key. It is thrown away then. One thread, but for librdkafka's own; rings `wake` when
// poll() has something to fetch.
class Producer {
 public:
  // Batches, and with them the broker's limit, hold at most so many bytes; librdkafka's default is
  // not exceeded. `topics`: at least one; records name them by index. Throws StartupError.
  Producer(const kafka::Settings& settings, const std::vector<std::string>& topics,
           std::size_t batch_bytes, std::size_t max_reports, Wake& wake);
  // Records that are still in flight are forgotten.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  static constexpr std::size_t kDefaultBatchBytes = 1'000'000;  // librdkafka's batch.size
  std::size_t batch_bytes() const noexcept { return batch_bytes_; }

  struct Outgoing {
    std::string_view key;
    std::string_view value;  // copied
    std::int64_t timestamp_ms = 0;
    Headers headers;
    Flight* flight = nullptr;  // comes back in its report; flight->topic is where it goes
  };
  // Queues a record: 0, or why not; RD_KAFKA_RESP_ERR__QUEUE_FULL: later.
  rd_kafka_resp_err_t send(Outgoing record);

  // Fetches what arrived: reports in the order Kafka gave them, and errors. Cleared by the caller.
  void poll();
  std::vector<DeliveryReport>& reports() noexcept { return reports_; }
  std::vector<ClientError>& errors() noexcept { return errors_; }

  // Gives up all records in flight: their reports follow.
  void purge();

  // Partitions of a topic; 0 as long as nothing was sent there.
  std::size_t partitions(std::uint32_t topic) const noexcept;

  // Whether a broker let us in and told of the cluster, at any time since this was made.
  bool reached() const noexcept;

  rd_kafka_t* handle() const noexcept { return handle_.get(); }
  const std::vector<std::string>& topics() const noexcept { return names_; }

 private:
  struct Topic {
    std::atomic<std::int32_t> partitions{0};
    rd_kafka_topic_t* handle = nullptr;
  };

  static void on_delivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* self);
  static void on_error(rd_kafka_t* handle, int error, const char* reason, void* self);
  static std::int32_t partition_of(const rd_kafka_topic_t* topic, const void* key,
                                   std::size_t key_bytes, std::int32_t partitions, void* of_topic,
                                   void* of_message);
  kafka::Configuration configuration(const kafka::Settings& settings);
  void open_topic(const std::string& name, Topic& topic);

  const std::vector<std::string> names_;
  const std::size_t batch_bytes_;
  std::vector<DeliveryReport> reports_;
  std::vector<ClientError> errors_;
  std::unique_ptr<Topic[]> topics_;
  kafka::Handle handle_;
};

}  // namespace segue::recorder
