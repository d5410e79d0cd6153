#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace segue::kafka {

// One record of a topic, as views into the message it came in.
struct TopicRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::int64_t unix_millis = -1;  // -1: none
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;  // none: a tombstone
  std::vector<std::pair<std::string_view, std::string_view>> headers;

  // The first header of that name.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct EndMessage {
  void operator()(rd_kafka_message_t* message) const noexcept {
    rd_kafka_message_destroy(message);
  }
};
using Message = std::unique_ptr<rd_kafka_message_t, EndMessage>;

std::int64_t millis_of(const rd_kafka_message_t& message);
// Keeps the memory that `record` has.
void fill(TopicRecord& record, const rd_kafka_message_t& message);

}  // namespace segue::kafka
