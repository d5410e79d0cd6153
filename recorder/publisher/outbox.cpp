#include "recorder/publisher/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kafka/confluent_frame.hpp"
#include "recorder/publisher/cut.hpp"
#include "recorder/publisher/record.hpp"
#include "runtime/clock.hpp"

namespace segue::recorder {
namespace {

std::vector<std::string> topics_of(const kafka::Settings& settings) {
  std::vector<std::string> topics{settings.topic};
  if (!settings.shadow_topic.empty() && settings.shadow_topic != settings.topic)
    topics.push_back(settings.shadow_topic);
  return topics;
}

// Brokers refuse records from the future (message.timestamp.after.max.ms), and one that was made
// while a clock was wrong must not hold up the rest. The exchange itself keeps its time.
std::int64_t timestamp_of(const RecordFields& fields) noexcept {
  constexpr std::int64_t kMicrosPerMilli = 1'000;
  return std::min(fields.created_at, runtime::unix_micros_now()) / kMicrosPerMilli;
}

std::uint64_t lane_key(std::uint32_t run, std::uint32_t lane) noexcept {
  return std::uint64_t{run} << 32 | lane;
}

}  // namespace

Outbox::Outbox(const kafka::Settings& settings, const TopicLimits& limits, Flights& flights,
               PublisherStatus& status)
    : topics_(topics_of(settings)),
      limits_(limits),
      flights_(flights),
      status_(status),
      hot_keys_(settings.hot_keys) {}

Outbox::Offer Outbox::offer(const ConsumedFrame& consumed, Producer& producer) {
  const std::string_view payload = consumed.frame.payload;
  if (!flights_.has_room(payload.size())) return Offer::later;
  const RecordFields fields = read_fields(payload);
  const std::uint32_t topic = is_shadow_kind(fields) && topics_.size() > 1 ? 1 : 0;
  const std::string_view key = key_for(fields);
  const auto value = value_for(payload, topic, overhead_of(fields, key.size()));
  if (!value) {
    failure_ = {FailureKind::too_large,
                fmt::format("{} takes {} bytes, and an exchange is larger even without its bodies: "
                            "raise max.message.bytes of the topic",
                            topics_[topic], limits_.of(topic)),
                Failure::Again::soon};
    return Offer::failed;
  }
  const Redelivery redelivery = redelivery_of(consumed);
  Flight* const flight =
      flights_.take_off({consumed.run, consumed.frame.lane, consumed.frame.lane_sequence,
                         static_cast<std::uint32_t>(value->size()), topic});
  const rd_kafka_resp_err_t error = producer.send(
      {key, *value, timestamp_of(fields), make_headers(fields, redelivery), flight});
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    count(fields, redelivery);
    return Offer::sent;
  }
  flights_.land(flight);
  // What ended the producer is told by poll().
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL || is_consequence(error)) return Offer::later;
  failure_ = {kind_of(error), fmt::format("{}: {}", topics_[topic], rd_kafka_err2str(error)),
              Failure::Again::soon};
  return Offer::failed;
}

std::string_view Outbox::key_for(const RecordFields& fields) {
  const std::string_view key = key_of(fields, key_text_);
  spread_ = false;
  if (!hot_keys_.enabled() || fields.account_id.empty()) return key;
  const unsigned bucket = hot_keys_.bucket_of(key, fields.id);
  if (bucket == HotKeys::kNoBucket) return key;
  spread_ = true;
  spread_key_.assign(key);
  spread_key_ += '#';
  spread_key_ += std::to_string(bucket);
  return spread_key_;
}

std::optional<std::string_view> Outbox::value_for(std::string_view payload, std::uint32_t topic,
                                                  std::size_t overhead) {
  const std::size_t header = framed() ? kafka::kConfluentHeaderBytes : 0;
  const std::size_t limit = limits_.of(topic);
  std::optional<std::string> smaller;
  cut_ = payload.size() + header + overhead > limit;
  if (cut_) {
    if (limit <= header + overhead) return std::nullopt;
    smaller = cut_to(payload, limit - header - overhead);
    if (!smaller) return std::nullopt;
    payload = *smaller;
  }
  if (!framed() && !cut_) return payload;
  value_.clear();
  if (framed()) kafka::append_confluent_header(value_, schema_ids_[topic]);
  value_ += payload;
  return value_;
}

Redelivery Outbox::redelivery_of(const ConsumedFrame& consumed) const {
  if (!consumed.own_run) return Redelivery::possible;
  const auto lane = there_.find(lane_key(consumed.run, consumed.frame.lane));
  const bool again = lane != there_.end() && consumed.frame.lane_sequence <= lane->second;
  return again ? Redelivery::possible : Redelivery::no;
}

void Outbox::may_be_there(const Flight& flight) {
  std::uint64_t& furthest = there_[lane_key(flight.run, flight.lane)];
  furthest = std::max(furthest, flight.lane_sequence);
}

void Outbox::count(const RecordFields& fields, Redelivery redelivery) {
  if (redelivery == Redelivery::possible) ++status_.redelivered_records;
  if (fields.account_id.empty() && !is_finish(fields)) ++status_.unkeyed_records;
  if (spread_) ++status_.spread_records;
  if (cut_) ++status_.cut_bodies;
}

}  // namespace segue::recorder
