#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "kafka/configuration.hpp"
#include "kafka/settings.hpp"

namespace segue::kafka {

// A member of a consumer group that is told which partitions of a topic are its own, and fetches
// nothing: who reads them does so by other means, and may finish what was begun when they are taken
// away. A member that dies is missed after kSessionTimeout. One thread, which polls at least every
// kLongestSilence, or the group gives its partitions to others until it does.
class GroupMember {
 public:
  static constexpr std::chrono::seconds kSessionTimeout{10};
  static constexpr std::chrono::minutes kLongestSilence{10};
  static constexpr std::chrono::seconds kFarewell{2};

  // beside: never joins, has no partitions and only commits, which the group takes while nobody is
  // in it.
  enum class Role : std::uint8_t { member, beside };

  // Joins when it is polled. Throws StartupError.
  GroupMember(const Settings& settings, std::string topic, const std::string& group, Role role);
  // Leaves the group, so that others need not wait. Waits kFarewell at most for its last commits.
  ~GroupMember();
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  // Hears what the group has decided; returns early when that changes partitions(). Throws
  // RemoteError when this user may not be in it.
  void poll(std::chrono::milliseconds most);
  // nullopt: the group has not said yet, or is about to say anew.
  const std::optional<std::set<std::int32_t>>& partitions() const noexcept { return partitions_; }

  // Commits without waiting; what cannot be committed is not.
  void commit(std::int32_t partition, std::int64_t offset);

 private:
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what,
                           rd_kafka_topic_partition_list_t* list, void* self);
  void assign(const rd_kafka_topic_partition_list_t& list);
  void revoke(const rd_kafka_topic_partition_list_t& list);
  void revoke_all();
  void join();
  void commit_at_last() noexcept;
  void hear(const rd_kafka_message_t& message) const;

  const Settings settings_;
  const std::string topic_;
  const std::string group_;
  std::optional<std::set<std::int32_t>> partitions_;
  std::map<std::int32_t, std::int64_t> committed_;  // by us; the last of each
  bool changed_ = false;
  Handle handle_;  // last: its end may still call on_rebalance()
};

}  // namespace segue::kafka
