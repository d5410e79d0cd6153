#include "kafka/group_member.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "exchange/remote_error.hpp"
#include "kafka/topic_record.hpp"

namespace segue::kafka {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct EndList {
  void operator()(rd_kafka_topic_partition_list_t* list) const noexcept {
    rd_kafka_topic_partition_list_destroy(list);
  }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, EndList>;

void set_default(rd_kafka_conf_t& conf, const Settings& settings, const char* property,
                 const std::string& value) {
  if (!settings.properties.contains(property)) set(conf, property, value);
}

std::string millis_text(milliseconds length) { return std::to_string(length.count()); }

bool is_cooperative(rd_kafka_t* handle) {
  const char* const protocol = rd_kafka_rebalance_protocol(handle);
  return protocol != nullptr && std::string_view(protocol) == "COOPERATIVE";
}

}  // namespace

GroupMember::GroupMember(const Settings& settings, std::string topic, const std::string& group,
                         Role role)
    : settings_(settings), topic_(std::move(topic)), group_(group) {
  Configuration conf = make_configuration(settings_);
  set(*conf, "group.id", group_);
  // Of cooperative-sticky, librdkafka before 2.3 ends the process when a member leaves before its
  // first assignment (confluentinc/librdkafka#4312).
  set_default(*conf, settings_, "partition.assignment.strategy", "range");
  set_default(*conf, settings_, "session.timeout.ms", millis_text(kSessionTimeout));
  set_default(*conf, settings_, "max.poll.interval.ms", millis_text(kLongestSilence));
  set(*conf, "enable.auto.commit", "false");
  set(*conf, "enable.auto.offset.store", "false");
  set(*conf, "allow.auto.create.topics", "false");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), &GroupMember::on_rebalance);
  handle_ = make_consumer(std::move(conf));
  if (role == Role::member) join();
}

void GroupMember::join() {
  rd_kafka_poll_set_consumer(handle_.get());
  const PartitionList wanted(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(wanted.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t code = rd_kafka_subscribe(handle_.get(), wanted.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw StartupError(
        fmt::format("kafka: group {}: {}: {}", group_, topic_, rd_kafka_err2str(code)));
}

GroupMember::~GroupMember() {
  if (!committed_.empty()) commit_at_last();
  rd_kafka_consumer_close(handle_.get());
}

void GroupMember::commit_at_last() noexcept {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(committed_.size())));
  for (const auto& [partition, offset] : committed_)
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset = offset;
  rd_kafka_queue_t* const answers = rd_kafka_queue_new(handle_.get());
  rd_kafka_commit_queue(handle_.get(), list.get(), answers, nullptr, nullptr);
  rd_kafka_event_t* const answer = rd_kafka_queue_poll(
      answers, static_cast<int>(milliseconds(kFarewell).count()));
  if (answer != nullptr) rd_kafka_event_destroy(answer);
  rd_kafka_queue_destroy(answers);
}

void GroupMember::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what,
                               rd_kafka_topic_partition_list_t* list, void* self) {
  auto& member = *static_cast<GroupMember*>(self);
  const bool cooperative = is_cooperative(handle);
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    if (cooperative)
      rd_kafka_error_destroy(rd_kafka_incremental_assign(handle, list));
    else
      rd_kafka_assign(handle, list);
    rd_kafka_pause_partitions(handle, list);  // nothing is read through the group
    member.assign(*list);
    return;
  }
  if (cooperative) {
    member.revoke(*list);
    rd_kafka_error_destroy(rd_kafka_incremental_unassign(handle, list));
  } else {
    member.revoke_all();
    rd_kafka_assign(handle, nullptr);
  }
}

void GroupMember::assign(const rd_kafka_topic_partition_list_t& list) {
  if (!partitions_) partitions_.emplace();
  for (int i = 0; i < list.cnt; ++i) partitions_->insert(list.elems[i].partition);
  changed_ = true;
}

void GroupMember::revoke(const rd_kafka_topic_partition_list_t& list) {
  if (!partitions_) return;
  for (int i = 0; i < list.cnt; ++i) partitions_->erase(list.elems[i].partition);
  changed_ = true;
}

// The group shares them all out anew.
void GroupMember::revoke_all() {
  partitions_.reset();
  changed_ = true;
}

void GroupMember::poll(milliseconds most) {
  const auto end = steady_clock::now() + most;
  changed_ = false;
  do {
    const auto left = duration_cast<milliseconds>(end - steady_clock::now());
    const Message message(
        rd_kafka_consumer_poll(handle_.get(), static_cast<int>(std::max(left, milliseconds(0)).count())));
    if (message) hear(*message);
  } while (!changed_ && steady_clock::now() < end);
}

void GroupMember::hear(const rd_kafka_message_t& message) const {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      throw RemoteError(fmt::format("kafka {}: joining group {}: not allowed: this user needs an "
                                    "ACL for it ({})",
                                    fmt::join(settings_.brokers, ","), group_,
                                    rd_kafka_message_errstr(&message)));
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      throw RemoteError(fmt::format("kafka {}: joining group {}: {}",
                                    fmt::join(settings_.brokers, ","), group_,
                                    rd_kafka_message_errstr(&message)));
    default:  // passes, or is heard of by who reads
      return;
  }
}

void GroupMember::commit(std::int32_t partition, std::int64_t offset) {
  committed_[partition] = offset;
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)->offset = offset;
  constexpr int kAsync = 1;
  rd_kafka_commit(handle_.get(), list.get(), kAsync);
}

}  // namespace segue::kafka
