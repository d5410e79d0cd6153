#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kafka/admin.hpp"
#include "kafka/cluster.hpp"
#include "kafka/groups.hpp"
#include "kafka/schema_registry.hpp"

namespace segue::cli {

// How fast a group reads a topic.
struct GroupRate {
  std::string group;
  std::uint64_t lag = 0;        // records behind the end
  double records_a_second = 0;  // committed
};

// Everything `topics describe` says of one topic.
struct TopicLook {
  kafka::TopicPlace place;
  kafka::OffsetRanges offsets;
  kafka::ConfigValues config;
  double written_a_second = 0;  // records
  std::vector<GroupRate> groups;
  std::optional<kafka::RegisteredSchema> schema;  // when a registry is configured

  std::uint64_t records() const;
  // The fullest partition over the mean; 1 is even, 0 when the topic is empty.
  double skew() const;
};

// Looks twice, `over` apart, for the rates; a zero leaves rates at 0. A group that this user may
// not look at is left out. Throws RemoteError.
std::vector<TopicLook> look_at_topics(kafka::Cluster& cluster,
                                      const std::vector<std::string>& topics,
                                      std::chrono::milliseconds over);

}  // namespace segue::cli
