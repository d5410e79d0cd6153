#include "tests/kafka/record_producer.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <memory>

#include "tests/support/patience.hpp"

namespace segue::test {
namespace {

struct EndHandle {
  void operator()(rd_kafka_t* handle) const noexcept { rd_kafka_destroy(handle); }
};
using Handle = std::unique_ptr<rd_kafka_t, EndHandle>;

Handle connect(rd_kafka_type_t type, const std::map<std::string, std::string>& properties) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  std::array<char, 512> why{};
  for (const auto& [name, value] : properties)
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) !=
        RD_KAFKA_CONF_OK)
      throw TestFailure(why.data());
  Handle handle(rd_kafka_new(type, conf, why.data(), why.size()));
  if (!handle) throw TestFailure(why.data());
  return handle;
}

void require(rd_kafka_resp_err_t code, const char* doing) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw TestFailure(std::string(doing) + ": " + rd_kafka_err2str(code));
}

void send(rd_kafka_t& handle, const std::string& topic, const RecordToSend& record) {
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(record.headers.size());
  for (const auto& [name, value] : record.headers)
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  std::string key = record.key;
  std::string value = record.value;
  std::array<rd_kafka_vu_t, 7> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  parts[0].u.cstr = topic.c_str();
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = record.partition;
  parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[2].u.i = RD_KAFKA_MSG_F_COPY;
  parts[3].vtype = RD_KAFKA_VTYPE_KEY;
  parts[3].u.mem = {key.data(), key.size()};
  parts[4].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[4].u.mem = {value.data(), value.size()};
  parts[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
  parts[5].u.i64 = record.unix_millis;
  parts[6].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[6].u.headers = headers;
  if (rd_kafka_error_t* const error = rd_kafka_produceva(&handle, parts.data(), parts.size())) {
    const std::string why = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    throw TestFailure("producing: " + why);
  }
}

}  // namespace

void produce(const KafkaBroker& broker, const std::string& topic,
             const std::vector<RecordToSend>& records) {
  const Handle handle = connect(RD_KAFKA_PRODUCER, {{"bootstrap.servers", broker.bootstrap()},
                                                    {"enable.idempotence", "true"}});
  for (const RecordToSend& record : records) send(*handle, topic, record);
  require(rd_kafka_flush(handle.get(), Deadline{}.left()), "waiting for acknowledgements");
}

void commit(const KafkaBroker& broker, const std::string& group, const std::string& topic,
            const std::map<std::int32_t, std::int64_t>& offsets) {
  const Handle handle = connect(RD_KAFKA_CONSUMER, {{"bootstrap.servers", broker.bootstrap()},
                                                    {"group.id", group},
                                                    {"enable.auto.commit", "false"}});
  rd_kafka_topic_partition_list_t* const list =
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size()));
  for (const auto& [partition, offset] : offsets)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = offset;
  rd_kafka_resp_err_t code{};
  const Deadline deadline;
  // The first commit of a cluster makes the topic it goes to, which takes a moment.
  do {
    code = rd_kafka_commit(handle.get(), list, 0);
  } while (code != RD_KAFKA_RESP_ERR_NO_ERROR && deadline.left() > 0);
  rd_kafka_topic_partition_list_destroy(list);
  require(code, "committing");
}

}  // namespace segue::test
