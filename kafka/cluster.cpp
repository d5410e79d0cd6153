#include "kafka/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace segue::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kSliceMillis = 200;
// A name with two addresses is down for a moment when the first one refuses.
constexpr milliseconds kPatienceWhenDown{2'000};

struct EndMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const noexcept {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, EndMetadata>;

struct EndTopic {
  void operator()(rd_kafka_topic_t* topic) const noexcept { rd_kafka_topic_destroy(topic); }
};
using TopicHandle = std::unique_ptr<rd_kafka_topic_t, EndTopic>;

struct EndList {
  void operator()(rd_kafka_topic_partition_list_t* list) const noexcept {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, EndList>;

bool is_final(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL ||
         code == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED ||
         code == RD_KAFKA_RESP_ERR__FATAL;
}

bool is_authorization(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

bool is_connection(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE ||
         code == RD_KAFKA_RESP_ERR__WAIT_COORD;
}

Metadata ask_metadata(rd_kafka_t* handle, rd_kafka_topic_t* topic, int timeout_ms,
                      rd_kafka_resp_err_t& code) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const int all_topics = topic == nullptr ? 1 : 0;
  code = rd_kafka_metadata(handle, all_topics, topic, &metadata, timeout_ms);
  return Metadata(code == RD_KAFKA_RESP_ERR_NO_ERROR ? metadata : nullptr);
}

std::vector<std::int32_t> ids(const std::int32_t* first, int count) {
  return std::vector<std::int32_t>(first, first + count);
}

PartitionPlace place_of(const rd_kafka_metadata_partition_t& partition) {
  return {partition.id, partition.leader, ids(partition.replicas, partition.replica_cnt),
          ids(partition.isrs, partition.isr_cnt)};
}

TopicPlace place_of(const rd_kafka_metadata_topic_t& topic) {
  TopicPlace place{topic.topic, {}};
  for (int i = 0; i < topic.partition_cnt; ++i)
    place.partitions.push_back(place_of(topic.partitions[i]));
  std::ranges::sort(place.partitions, {}, &PartitionPlace::id);
  return place;
}

// Tries again what only has to be waited for, until it works or `timeout` is over.
template <class Call>
rd_kafka_resp_err_t patiently(milliseconds timeout, const Call& call) {
  constexpr milliseconds kBetween{50};
  const auto end = steady_clock::now() + timeout;
  for (;;) {
    const rd_kafka_resp_err_t code = call();
    if (!is_passing(code) || steady_clock::now() >= end) return code;
    std::this_thread::sleep_for(kBetween);
  }
}

}  // namespace

bool is_passing(rd_kafka_resp_err_t code) noexcept {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION:
    case RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH:
    case RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH:
      return true;
    default:
      return false;
  }
}

Cluster::Cluster(Settings settings, milliseconds timeout,
                 const std::map<std::string, std::string>& properties)
    : settings_(std::move(settings)), timeout_(timeout) {
  Configuration conf = make_configuration(settings_);
  set(*conf, "enable.partition.eof", "true");
  set(*conf, "enable.auto.commit", "false");
  set(*conf, "allow.auto.create.topics", "false");
  set(*conf, "reconnect.backoff.ms", "50");
  set(*conf, "reconnect.backoff.max.ms", "1000");
  for (const auto& [property, value] : properties) set(*conf, property.c_str(), value);
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), &Cluster::hear);
  handle_ = make_consumer(std::move(conf));
}

Cluster::~Cluster() = default;

void Cluster::hear(rd_kafka_t*, int code, const char* text, void* self) {
  auto& cluster = *static_cast<Cluster*>(self);
  const auto kind = static_cast<rd_kafka_resp_err_t>(code);
  if (kind == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    cluster.all_down_ = true;
    return;  // says less than what came before it
  }
  cluster.last_ = {kind, text};
  if (is_final(kind)) cluster.final_ = cluster.last_;
}

void Cluster::check() {
  rd_kafka_poll(handle_.get(), 0);
  if (final_) throw failure("connecting", final_->code, final_->text);
}

void Cluster::reach() {
  if (reached_) return;
  const auto begin = steady_clock::now();
  for (;;) {
    rd_kafka_resp_err_t code{};
    // Any topic does: it is the answer that counts.
    const TopicHandle probe(rd_kafka_topic_new(handle_.get(), settings_.topic.c_str(), nullptr));
    if (ask_metadata(handle_.get(), probe.get(), kSliceMillis, code)) break;
    check();
    const auto waited = steady_clock::now() - begin;
    if (waited >= timeout_ || (all_down_ && waited >= kPatienceWhenDown))
      throw failure("connecting", code, last_.text);
  }
  reached_ = true;
}

std::string Cluster::brokers_text() const { return fmt::format("{}", fmt::join(settings_.brokers, ",")); }

RemoteError Cluster::failure(std::string_view doing, rd_kafka_resp_err_t code,
                             std::string_view detail) const {
  const std::string text(detail.empty() ? rd_kafka_err2str(code) : detail);
  const std::string where = fmt::format("kafka {}", brokers_text());
  if (final_ || is_final(code))
    return RemoteError(fmt::format("{}: {}", where,
                                   explain_authentication_failure(
                                       settings_, final_ ? final_->text : text)));
  if (is_authorization(code))
    return RemoteError(fmt::format("{}: {}: not allowed: this user needs an ACL for it ({})", where,
                                   doing, text));
  if (is_connection(code))
    return RemoteError(fmt::format("{}: {}: no answer; check the address, and whether it wants TLS "
                                   "or SASL ({})",
                                   where, doing, last_.text.empty() ? text : last_.text));
  return RemoteError(fmt::format("{}: {}: {}", where, doing, text));
}

std::vector<BrokerPlace> Cluster::brokers() {
  reach();
  rd_kafka_resp_err_t code{};
  const TopicHandle probe(rd_kafka_topic_new(handle_.get(), settings_.topic.c_str(), nullptr));
  const Metadata metadata = ask_metadata(handle_.get(), probe.get(), timeout_millis(), code);
  if (!metadata) throw failure("asking for brokers", code);
  std::vector<BrokerPlace> places;
  for (int i = 0; i < metadata->broker_cnt; ++i) {
    const rd_kafka_metadata_broker_t& broker = metadata->brokers[i];
    places.push_back({broker.id, broker.host, broker.port});
  }
  std::ranges::sort(places, {}, &BrokerPlace::id);
  return places;
}

std::int32_t Cluster::controller() {
  reach();
  return rd_kafka_controllerid(handle_.get(), timeout_millis());
}

std::vector<std::string> Cluster::topics() {
  reach();
  rd_kafka_resp_err_t code{};
  const Metadata metadata = ask_metadata(handle_.get(), nullptr, timeout_millis(), code);
  if (!metadata) throw failure("asking for topics", code);
  std::vector<std::string> names;
  for (int i = 0; i < metadata->topic_cnt; ++i) names.emplace_back(metadata->topics[i].topic);
  std::ranges::sort(names);
  return names;
}

std::optional<TopicPlace> Cluster::find_topic(const std::string& topic) {
  reach();
  const TopicHandle asked(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  const std::string doing = fmt::format("looking for topic {}", topic);
  if (!asked) throw failure(doing, rd_kafka_last_error());
  rd_kafka_resp_err_t code{};
  const Metadata metadata = ask_metadata(handle_.get(), asked.get(), timeout_millis(), code);
  if (!metadata) throw failure(doing, code);
  if (metadata->topic_cnt != 1) return std::nullopt;
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::nullopt;
  const bool usable = found.err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                      found.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  if (!usable) throw failure(doing, found.err);
  return place_of(found);
}

TopicPlace Cluster::topic(const std::string& topic) {
  std::optional<TopicPlace> place = find_topic(topic);
  if (!place || place->partitions.empty())
    throw RemoteError(fmt::format("kafka {}: there is no topic {}; `seguectl topics ensure` creates "
                                  "what the configuration names",
                                  brokers_text(), topic));
  return std::move(*place);
}

OffsetRanges Cluster::offsets(const TopicPlace& topic) {
  reach();
  OffsetRanges ranges;
  for (const PartitionPlace& partition : topic.partitions) {
    OffsetRange range;
    const rd_kafka_resp_err_t code = patiently(timeout_, [&] {
      return rd_kafka_query_watermark_offsets(handle_.get(), topic.name.c_str(), partition.id,
                                              &range.low, &range.high, timeout_millis());
    });
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
      throw failure(fmt::format("asking for the offsets of {}/{}", topic.name, partition.id), code);
    ranges.emplace(partition.id, range);
  }
  return ranges;
}

std::map<std::int32_t, std::int64_t> Cluster::offsets_at(const TopicPlace& topic,
                                                         std::int64_t unix_millis) {
  reach();
  const PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(topic.partitions.size())));
  for (const PartitionPlace& partition : topic.partitions)
    rd_kafka_topic_partition_list_add(list.get(), topic.name.c_str(), partition.id)->offset =
        unix_millis;
  const std::string doing = fmt::format("asking for the offsets of {} at a time", topic.name);
  const rd_kafka_resp_err_t code =
      rd_kafka_offsets_for_times(handle_.get(), list.get(), timeout_millis());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw failure(doing, code);
  const OffsetRanges ranges = offsets(topic);
  std::map<std::int32_t, std::int64_t> found;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& one = list->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) throw failure(doing, one.err);
    found.emplace(one.partition, one.offset < 0 ? ranges.at(one.partition).high : one.offset);
  }
  return found;
}

}  // namespace segue::kafka
