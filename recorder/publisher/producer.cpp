#include "recorder/publisher/producer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "exchange/error.hpp"

namespace segue::recorder {
namespace {

// What this sets unless the settings pass something else through, under any of its names.
void set_default(rd_kafka_conf_t& conf, const kafka::Settings& settings, const char* property,
                 const char* alias, const char* value) {
  if (!settings.properties.contains(property) && !settings.properties.contains(alias))
    kafka::set(conf, property, value);
}

std::size_t batch_bytes_within(const kafka::Settings& settings, std::size_t most) {
  std::size_t wanted = Producer::kDefaultBatchBytes;
  if (const auto given = settings.properties.find("batch.size");
      given != settings.properties.end()) {
    const std::string& text = given->second;
    std::from_chars(text.data(), text.data() + text.size(), wanted);
  }
  return std::min(wanted, most);
}

struct DestroyQueue {
  void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }
};

rd_kafka_vu_t variable(rd_kafka_vtype_t type) noexcept {
  rd_kafka_vu_t value{};
  value.vtype = type;
  return value;
}

}  // namespace

Producer::Producer(const kafka::Settings& settings, const std::vector<std::string>& topics,
                   std::size_t batch_bytes, std::size_t max_reports, Wake& wake)
    : names_(topics),
      batch_bytes_(batch_bytes_within(settings, batch_bytes)),
      topics_(std::make_unique<Topic[]>(topics.size())) {
  reports_.reserve(max_reports);
  handle_ = kafka::make_producer(configuration(settings));
  const std::unique_ptr<rd_kafka_queue_t, DestroyQueue> events(
      rd_kafka_queue_get_main(handle_.get()));
  static constexpr std::uint64_t kOneRing = 1;
  rd_kafka_queue_io_event_enable(events.get(), wake.descriptor(), &kOneRing, sizeof kOneRing);
  for (std::size_t i = 0; i < names_.size(); ++i) open_topic(names_[i], topics_[i]);
}

Producer::~Producer() {
  purge();
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (topics_[i].handle != nullptr) rd_kafka_topic_destroy(topics_[i].handle);
  }
}

kafka::Configuration Producer::configuration(const kafka::Settings& settings) {
  kafka::Configuration conf = kafka::make_configuration(settings);
  set_default(*conf, settings, "compression.type", "compression.codec", "lz4");
  set_default(*conf, settings, "linger.ms", "queue.buffering.max.ms", "5");
  // Records are measured before they are sent, and only the broker's limit counts.
  constexpr const char* kLargestAllowed = "1000000000";
  set_default(*conf, settings, "message.max.bytes", "message.max.bytes", kLargestAllowed);
  kafka::set(*conf, "batch.size", std::to_string(batch_bytes_));
  kafka::set(*conf, "enable.idempotence", "true");
  // Else librdkafka goes on with what stands behind a record that failed for good.
  kafka::set(*conf, "enable.gapless.guarantee", "true");
  // Else the first look at a topic would make one with the broker's defaults.
  kafka::set(*conf, "allow.auto.create.topics", "false");
  kafka::set(*conf, "acks", "all");
  kafka::set(*conf, "message.timeout.ms", "0");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  return conf;
}

void Producer::open_topic(const std::string& name, Topic& topic) {
  rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(handle_.get());
  rd_kafka_topic_conf_set_partitioner_cb(conf, partition_of);
  rd_kafka_topic_conf_set_opaque(conf, &topic);
  topic.handle = rd_kafka_topic_new(handle_.get(), name.c_str(), conf);
  if (topic.handle == nullptr)
    throw StartupError("kafka: the topic's name is not allowed: " + name);
}

std::int32_t Producer::partition_of(const rd_kafka_topic_t* topic, const void* key,
                                    std::size_t key_bytes, std::int32_t partitions, void* of_topic,
                                    void* of_message) {
  static_cast<Topic*>(of_topic)->partitions.store(partitions, std::memory_order_relaxed);
  return rd_kafka_msg_partitioner_murmur2_random(topic, key, key_bytes, partitions, of_topic,
                                                 of_message);
}

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  const bool never = rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  static_cast<Producer*>(self)->reports_.push_back({static_cast<Flight*>(message->_private),
                                                    message->err, message->partition,
                                                    never ? Redelivery::no : Redelivery::possible});
}

void Producer::on_error(rd_kafka_t* handle, int error, const char* reason, void* self) {
  ClientError what{static_cast<rd_kafka_resp_err_t>(error), reason, false};
  if (what.error == RD_KAFKA_RESP_ERR__FATAL) {
    std::array<char, 512> why{};
    what.error = rd_kafka_fatal_error(handle, why.data(), why.size());
    what.reason = why.data();
    what.fatal = true;
  }
  static_cast<Producer*>(self)->errors_.push_back(std::move(what));
}

rd_kafka_resp_err_t Producer::send(Outgoing record) {
  std::array<rd_kafka_vu_t, 7> with{
      variable(RD_KAFKA_VTYPE_RKT),     variable(RD_KAFKA_VTYPE_KEY),
      variable(RD_KAFKA_VTYPE_VALUE),   variable(RD_KAFKA_VTYPE_TIMESTAMP),
      variable(RD_KAFKA_VTYPE_HEADERS), variable(RD_KAFKA_VTYPE_OPAQUE),
      variable(RD_KAFKA_VTYPE_MSGFLAGS)};
  with[0].u.rkt = topics_[record.flight->topic].handle;
  // librdkafka copies both: it takes them as void* for the sake of other flags.
  with[1].u.mem.ptr = const_cast<char*>(record.key.data());
  with[1].u.mem.size = record.key.size();
  with[2].u.mem.ptr = const_cast<char*>(record.value.data());
  with[2].u.mem.size = record.value.size();
  with[3].u.i64 = record.timestamp_ms;
  with[4].u.headers = record.headers.get();
  with[5].u.ptr = record.flight;
  with[6].u.i = RD_KAFKA_MSG_F_COPY;
  rd_kafka_error_t* const error = rd_kafka_produceva(handle_.get(), with.data(), with.size());
  if (error == nullptr) {
    static_cast<void>(record.headers.release());  // they belong to the message now
    return RD_KAFKA_RESP_ERR_NO_ERROR;
  }
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return code;
}

void Producer::poll() {
  rd_kafka_poll(handle_.get(), 0);
}

void Producer::purge() {
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

std::size_t Producer::partitions(std::uint32_t topic) const noexcept {
  return static_cast<std::size_t>(topics_[topic].partitions.load(std::memory_order_relaxed));
}

bool Producer::reached() const noexcept {
  char* const cluster = rd_kafka_clusterid(handle_.get(), 0);
  if (cluster == nullptr) return false;
  rd_kafka_mem_free(handle_.get(), cluster);
  return true;
}

}  // namespace segue::recorder
