#include "kafka/groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "kafka/admin_call.hpp"
#include "kafka/topic_reader.hpp"

namespace segue::kafka {
namespace {

constexpr const char* kOffsetsTopic = "__consumer_offsets";

void check(const Cluster& cluster, std::string_view doing, const rd_kafka_error_t* error) {
  if (error != nullptr && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw cluster.failure(doing, rd_kafka_error_code(error), rd_kafka_error_string(error));
}

struct EndRequest {
  void operator()(rd_kafka_ListConsumerGroupOffsets_t* request) const noexcept {
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
  }
};

// Takes a big-endian number of 16 bits off the front.
std::optional<std::size_t> take_short(std::string_view& bytes) {
  if (bytes.size() < 2) return std::nullopt;
  const auto high = static_cast<unsigned char>(bytes[0]);
  const auto low = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  return static_cast<std::size_t>(high << 8 | low);
}

// The group of a commit's key: version 0 or 1, then group, topic and partition
// (OffsetCommitKey.json of Kafka). nullopt: the key of something else.
std::optional<std::string> group_of_commit(std::string_view key) {
  const auto version = take_short(key);
  if (!version || *version > 1) return std::nullopt;
  const auto length = take_short(key);
  if (!length || *length > key.size()) return std::nullopt;
  return std::string(key.substr(0, *length));
}

// The partition that holds a group's offsets: the absolute value of Java's String.hashCode(), 0 for
// the one integer that has none, modulo.
// Exact for names in ASCII; of another one the last commit is simply not found.
std::int32_t offsets_partition(std::string_view group, std::size_t partitions) {
  std::uint32_t hash = 0;
  for (const char c : group) hash = hash * 31 + static_cast<unsigned char>(c);
  constexpr std::uint32_t kSign = 0x8000'0000;
  const std::uint32_t size = hash == kSign ? 0 : (hash & kSign) != 0 ? 0 - hash : hash;
  return static_cast<std::int32_t>(size % partitions);
}

}  // namespace

std::vector<GroupPlace> Groups::list() {
  const std::string doing = "asking for the consumer groups";
  const Event event = ask(cluster_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS, doing,
                          [](rd_kafka_t* handle, auto* options, auto* queue) {
                            rd_kafka_ListConsumerGroups(handle, options, queue);
                          });
  const auto* const result = rd_kafka_event_ListConsumerGroups_result(event.get());
  std::size_t count = 0;
  const rd_kafka_error_t** const errors = rd_kafka_ListConsumerGroups_result_errors(result, &count);
  for (std::size_t i = 0; i < count; ++i) check(cluster_, doing, errors[i]);
  const rd_kafka_ConsumerGroupListing_t** const listed =
      rd_kafka_ListConsumerGroups_result_valid(result, &count);
  std::vector<GroupPlace> groups;
  for (std::size_t i = 0; i < count; ++i)
    groups.push_back(
        {rd_kafka_ConsumerGroupListing_group_id(listed[i]),
         rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupListing_state(listed[i])), 0});
  std::ranges::sort(groups, {}, &GroupPlace::name);
  return groups;
}

GroupPlace Groups::describe(const std::string& group) {
  const std::string doing = fmt::format("asking for group {}", group);
  const Event event = ask(cluster_, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, doing,
                          [&](rd_kafka_t* handle, auto* options, auto* queue) {
                            const char* name = group.c_str();
                            rd_kafka_DescribeConsumerGroups(handle, &name, 1, options, queue);
                          });
  std::size_t count = 0;
  const rd_kafka_ConsumerGroupDescription_t** const groups =
      rd_kafka_DescribeConsumerGroups_result_groups(
          rd_kafka_event_DescribeConsumerGroups_result(event.get()), &count);
  if (count == 0) return {group, "Dead", 0};
  const rd_kafka_error_t* const error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
  // Newer brokers say so of a group that is not there, older ones call it dead.
  if (error != nullptr &&
      rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
    return {group, "Dead", 0};
  check(cluster_, doing, error);
  return {group,
          rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(groups[0])),
          rd_kafka_ConsumerGroupDescription_member_count(groups[0])};
}

Committed Groups::committed(const std::string& group) {
  const std::string doing = fmt::format("asking for the offsets of group {}", group);
  const std::unique_ptr<rd_kafka_ListConsumerGroupOffsets_t, EndRequest> request(
      rd_kafka_ListConsumerGroupOffsets_new(group.c_str(), nullptr));
  const Event event = ask(cluster_, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, doing,
                          [&](rd_kafka_t* handle, auto* options, auto* queue) {
                            rd_kafka_ListConsumerGroupOffsets_t* one = request.get();
                            rd_kafka_ListConsumerGroupOffsets(handle, &one, 1, options, queue);
                          });
  std::size_t count = 0;
  const rd_kafka_group_result_t** const groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
      rd_kafka_event_ListConsumerGroupOffsets_result(event.get()), &count);
  Committed committed;
  for (std::size_t i = 0; i < count; ++i) {
    check(cluster_, doing, rd_kafka_group_result_error(groups[i]));
    const rd_kafka_topic_partition_list_t* const list =
        rd_kafka_group_result_partitions(groups[i]);
    for (int at = 0; list != nullptr && at < list->cnt; ++at)
      if (list->elems[at].offset >= 0)
        committed.insert_or_assign({list->elems[at].topic, list->elems[at].partition},
                                   list->elems[at].offset);
  }
  return committed;
}

std::map<std::string, std::int64_t> Groups::last_commits(const std::vector<std::string>& groups) {
  std::map<std::string, std::int64_t> last;
  const auto place = cluster_.find_topic(kOffsetsTopic);
  if (!place || place->partitions.empty()) return last;
  TopicReadOptions options;
  for (const std::string& group : groups)
    options.partitions.push_back(offsets_partition(group, place->partitions.size()));
  std::ranges::sort(options.partitions);
  const auto twice = std::ranges::unique(options.partitions);
  options.partitions.erase(twice.begin(), twice.end());
  TopicReader reader(cluster_, kOffsetsTopic, options);
  while (const TopicRecord* const record = reader.next()) {
    if (!record->key || !record->value) continue;  // a tombstone takes offsets away
    const auto group = group_of_commit(*record->key);
    if (group && std::ranges::find(groups, *group) != groups.end()) {
      std::int64_t& at = last[*group];
      at = std::max(at, record->unix_millis);
    }
  }
  return last;
}

}  // namespace segue::kafka
