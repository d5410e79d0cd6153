#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kafka/admin.hpp"

namespace segue::cli {

// What `topics ensure` was asked for. What was not said leaves a topic that exists as it is.
struct TopicWishes {
  static constexpr int kPartitions = 12;
  static constexpr std::int64_t kRetentionMillis = 7LL * 86'400'000;

  std::optional<int> partitions;   // default of a new topic: partitions_of_new
  std::optional<int> replication;  // default of a new topic: the broker's
  std::optional<std::int64_t> retention_millis;  // default of a new topic: retention_of_new
  int partitions_of_new = kPartitions;
  std::int64_t retention_of_new = kRetentionMillis;
  enum class Compaction : std::uint8_t { no, yes } compaction = Compaction::no;
  enum class Reordering : std::uint8_t { refused, accepted } reordering = Reordering::refused;
};

struct ConfigChange {
  std::string key;
  std::string from;
  std::string to;
};

// What has to be done to one topic so that it is as wished.
struct TopicPlan {
  std::string topic;
  std::optional<kafka::NewTopic> create;
  std::vector<ConfigChange> changes;
  std::optional<std::size_t> grow_from;  // partitions, with `grow_to`
  std::size_t grow_to = 0;
  std::vector<std::string> refusals;  // a line each: what would do harm, or cannot be done

  bool nothing_to_do() const {
    return !create && changes.empty() && !grow_from && refusals.empty();
  }
};

// `place` and `config` are what is there: nullopt and empty for a topic that is not. Pure.
TopicPlan plan_topic(const std::string& topic, const std::optional<kafka::TopicPlace>& place,
                     const kafka::ConfigValues& config, const TopicWishes& wishes);

// Does it. Throws RemoteError; what was done until then stays done.
void carry_out(kafka::Admin& admin, const TopicPlan& plan);

}  // namespace segue::cli
