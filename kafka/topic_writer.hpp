#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exchange/remote_error.hpp"
#include "kafka/configuration.hpp"
#include "kafka/settings.hpp"

namespace segue::kafka {

struct EndHeaders {
  void operator()(rd_kafka_headers_t* headers) const noexcept { rd_kafka_headers_destroy(headers); }
};
using RecordHeaders = std::unique_ptr<rd_kafka_headers_t, EndHeaders>;

// Writes records to one topic for a command: each once and in order of its partition (idempotent
// producer, acks=all), and nothing behind one that failed; after a failure this writer is of no use
// any more. Memory is bounded: kMostQueuedBytes wait to be sent. One thread.
class TopicWriter {
 public:
  static constexpr std::size_t kMostQueuedBytes = 64 << 20;
  static constexpr std::chrono::seconds kLeastPatience{30};  // for one record to be acknowledged

  // Connects to nobody yet. Throws StartupError.
  TopicWriter(const Settings& settings, std::string topic, std::chrono::milliseconds timeout);
  // What is not acknowledged yet is forgotten.
  ~TopicWriter();
  TopicWriter(const TopicWriter&) = delete;
  TopicWriter& operator=(const TopicWriter&) = delete;

  struct Outgoing {
    std::int32_t partition = RD_KAFKA_PARTITION_UA;  // by key
    std::optional<std::string_view> key{};
    std::string_view value{};      // copied, as the key is
    std::int64_t unix_millis = 0;  // 0: now
    RecordHeaders headers{};
  };
  // Waits for room. Throws RemoteError: this record, or one before it, cannot be written.
  void send(Outgoing record);
  // Waits until all are acknowledged. Throws RemoteError.
  void flush();

 private:
  static void on_delivery(rd_kafka_t* handle, const rd_kafka_message_t* message, void* self);
  static void on_error(rd_kafka_t* handle, int error, const char* reason, void* self);
  Configuration configuration();
  void serve(std::chrono::milliseconds most);
  RemoteError failure(rd_kafka_resp_err_t code, std::string_view detail = {}) const;

  const Settings settings_;
  const std::string topic_name_;
  const std::chrono::milliseconds patience_;
  rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // the first one
  std::string why_;       // of `failed_`
  std::string complaint_;  // what the client said last of a connection
  Handle handle_;
  rd_kafka_topic_t* topic_ = nullptr;
};

}  // namespace segue::kafka
