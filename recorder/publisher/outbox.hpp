#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/settings.hpp"
#include "recorder/journal/consumer.hpp"
#include "recorder/publisher/failure.hpp"
#include "recorder/publisher/flight.hpp"
#include "recorder/publisher/hot_keys.hpp"
#include "recorder/publisher/producer.hpp"
#include "recorder/publisher/publisher.hpp"
#include "recorder/publisher/topic_limits.hpp"

namespace segue::recorder {

// Makes a record of a journal's frame and hands it to a producer. Remembers how far each lane may
// have come to the topic, so that what is sent again says so. One thread; `settings`, `limits`,
// `flights` and `status` must outlive it.
class Outbox {
 public:
  Outbox(const kafka::Settings& settings, const TopicLimits& limits, Flights& flights,
         PublisherStatus& status);

  // Where records go: the usual topic first, then, if it has one of its own, that of shadows.
  const std::vector<std::string>& topics() const noexcept { return topics_; }
  // Values are framed with the id of their topic's schema from now on.
  void frame_with(std::vector<std::uint32_t> schema_ids) { schema_ids_ = std::move(schema_ids); }
  bool framed() const noexcept { return !schema_ids_.empty(); }

  // later: there is no room now; offer the same frame again. failed: see failure().
  enum class Offer : std::uint8_t { sent, later, failed };
  Offer offer(const ConsumedFrame& consumed, Producer& producer);
  const Failure& failure() const noexcept { return failure_; }

  // This record is in the topic, or may be.
  void may_be_there(const Flight& flight);

 private:
  std::string_view key_for(const RecordFields& fields);
  // nullopt: it cannot be made small enough.
  std::optional<std::string_view> value_for(std::string_view payload, std::uint32_t topic,
                                            std::size_t overhead);
  Redelivery redelivery_of(const ConsumedFrame& consumed) const;
  void count(const RecordFields& fields, Redelivery redelivery);

  const std::vector<std::string> topics_;
  const TopicLimits& limits_;
  Flights& flights_;
  PublisherStatus& status_;
  HotKeys hot_keys_;
  std::vector<std::uint32_t> schema_ids_;  // of topics_; empty: values are plain
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> there_;  // by run and lane
  // Reused from record to record.
  std::string key_text_;
  std::string spread_key_;
  std::string value_;
  bool spread_ = false;
  bool cut_ = false;
  Failure failure_;
};

}  // namespace segue::recorder
