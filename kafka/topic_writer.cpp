#include "kafka/topic_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exchange/error.hpp"

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSlice{100};

void set_default(rd_kafka_conf_t& conf, const Settings& settings, const char* property,
                 const char* alias, const std::string& value) {
  if (!settings.properties.contains(property) && !settings.properties.contains(alias))
    set(conf, property, value);
}

rd_kafka_vu_t variable(rd_kafka_vtype_t type) noexcept {
  rd_kafka_vu_t value{};
  value.vtype = type;
  return value;
}

// librdkafka says these of a record when something else failed before.
bool says_little(rd_kafka_resp_err_t code) noexcept {
  return code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || code == RD_KAFKA_RESP_ERR__FATAL ||
         code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

}  // namespace

TopicWriter::TopicWriter(const Settings& settings, std::string topic, milliseconds timeout)
    : settings_(settings),
      topic_name_(std::move(topic)),
      patience_(std::max<milliseconds>(timeout, kLeastPatience)) {
  handle_ = make_producer(configuration());
  topic_ = rd_kafka_topic_new(handle_.get(), topic_name_.c_str(), nullptr);
  if (topic_ == nullptr)
    throw StartupError("kafka: the topic's name is not allowed: " + topic_name_);
}

TopicWriter::~TopicWriter() {
  rd_kafka_purge(handle_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_topic_destroy(topic_);
}

Configuration TopicWriter::configuration() {
  constexpr const char* kLargestAllowed = "1000000000";  // the broker's own limit is what counts
  Configuration conf = make_configuration(settings_);
  const std::string patience = std::to_string(patience_.count());
  set_default(*conf, settings_, "compression.type", "compression.codec", "lz4");
  set_default(*conf, settings_, "linger.ms", "queue.buffering.max.ms", "5");
  set_default(*conf, settings_, "message.max.bytes", "message.max.bytes", kLargestAllowed);
  set(*conf, "queue.buffering.max.kbytes", std::to_string(kMostQueuedBytes >> 10));
  set(*conf, "enable.idempotence", "true");
  set(*conf, "enable.gapless.guarantee", "true");
  set(*conf, "allow.auto.create.topics", "false");
  set(*conf, "acks", "all");
  set(*conf, "message.timeout.ms", patience);
  set(*conf, "topic.metadata.propagation.max.ms", "5000");
  set(*conf, "partitioner", "murmur2_random");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  rd_kafka_conf_set_error_cb(conf.get(), on_error);
  return conf;
}

void TopicWriter::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  auto& writer = *static_cast<TopicWriter*>(self);
  const bool first = writer.failed_ == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && first) writer.failed_ = message->err;
}

void TopicWriter::on_error(rd_kafka_t* handle, int error, const char* reason, void* self) {
  auto& writer = *static_cast<TopicWriter*>(self);
  const auto code = static_cast<rd_kafka_resp_err_t>(error);
  const bool first = writer.failed_ == RD_KAFKA_RESP_ERR_NO_ERROR;
  if (code == RD_KAFKA_RESP_ERR__FATAL && first) {
    std::array<char, 512> why{};
    writer.failed_ = rd_kafka_fatal_error(handle, why.data(), why.size());
    writer.why_ = why.data();
  } else if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION && first) {
    writer.failed_ = code;
    writer.why_ = explain_authentication_failure(writer.settings_, reason);
  } else if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    writer.complaint_ = reason;
  }
}

RemoteError TopicWriter::failure(rd_kafka_resp_err_t code, std::string_view detail) const {
  std::string text(detail.empty() ? std::string_view(rd_kafka_err2str(code)) : detail);
  if (code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    text = "there is no such topic; `seguectl topics ensure` creates it";
  else if (detail.empty() && says_little(code) && !complaint_.empty())
    text = fmt::format("no answer ({})", complaint_);
  return RemoteError(fmt::format("kafka {}: writing to {}: {}",
                                 fmt::join(settings_.brokers, ","), topic_name_, text));
}

void TopicWriter::serve(milliseconds most) {
  rd_kafka_poll(handle_.get(), static_cast<int>(most.count()));
  if (failed_ != RD_KAFKA_RESP_ERR_NO_ERROR) throw failure(failed_, why_);
}

void TopicWriter::send(Outgoing record) {
  std::array<rd_kafka_vu_t, 7> with{
      variable(RD_KAFKA_VTYPE_RKT),       variable(RD_KAFKA_VTYPE_PARTITION),
      variable(RD_KAFKA_VTYPE_KEY),       variable(RD_KAFKA_VTYPE_VALUE),
      variable(RD_KAFKA_VTYPE_TIMESTAMP), variable(RD_KAFKA_VTYPE_MSGFLAGS),
      variable(RD_KAFKA_VTYPE_HEADERS)};
  with[0].u.rkt = topic_;
  with[1].u.i32 = record.partition;
  // librdkafka copies both: it takes them as void* for the sake of other flags.
  if (record.key)
    with[2].u.mem = {const_cast<char*>(record.key->data()), record.key->size()};
  with[3].u.mem = {const_cast<char*>(record.value.data()), record.value.size()};
  with[4].u.i64 = record.unix_millis;
  with[5].u.i = RD_KAFKA_MSG_F_COPY;
  with[6].u.headers = record.headers.get();
  const std::size_t count = record.headers ? with.size() : with.size() - 1;
  const auto end = steady_clock::now() + patience_;
  for (;;) {
    serve(milliseconds(0));
    rd_kafka_error_t* const error = rd_kafka_produceva(handle_.get(), with.data(), count);
    if (error == nullptr) break;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || steady_clock::now() >= end) throw failure(code);
    serve(kSlice);
  }
  static_cast<void>(record.headers.release());  // they belong to the message now
}

void TopicWriter::flush() {
  const auto end = steady_clock::now() + patience_ + kSlice;
  while (rd_kafka_flush(handle_.get(), static_cast<int>(kSlice.count())) ==
         RD_KAFKA_RESP_ERR__TIMED_OUT) {
    serve(milliseconds(0));
    if (steady_clock::now() >= end) throw failure(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
  }
  serve(milliseconds(0));
}

}  // namespace segue::kafka
