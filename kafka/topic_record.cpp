#include "kafka/topic_record.hpp"

namespace segue::kafka {
namespace {

std::optional<std::string_view> view(const void* data, std::size_t size) {
  if (data == nullptr) return std::nullopt;
  return std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

std::optional<std::string_view> TopicRecord::header(std::string_view name) const {
  for (const auto& [is, content] : headers)
    if (is == name) return content;
  return std::nullopt;
}

std::int64_t millis_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type{};
  return rd_kafka_message_timestamp(&message, &type);
}

void fill(TopicRecord& record, const rd_kafka_message_t& message) {
  record.partition = message.partition;
  record.offset = message.offset;
  record.unix_millis = millis_of(message);
  record.key = view(message.key, message.key_len);
  record.value = view(message.payload, message.len);
  record.headers.clear();
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                          RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i)
    record.headers.emplace_back(name, view(value, size).value_or(std::string_view{}));
}

}  // namespace segue::kafka
