#include "cli/topics_plan.hpp"

#include <fmt/format.h>

#include <charconv>

namespace segue::cli {
namespace {

using Entries = std::map<std::string, std::string>;

constexpr std::int64_t kMaxMessageBytes = 4 << 20;  // twice the default bodies.max and more
constexpr std::int64_t kHourMillis = 3'600'000;

// Kafka compacts closed segments only, and only logs that are dirty enough: with the defaults (a
// segment of 1 GiB or 7 days, half of it dirty) a topic of a few records an account never is.
void add_compaction(Entries& entries) {
  entries["min.compaction.lag.ms"] = std::to_string(kHourMillis);  // a reader's time to see each
  entries["max.compaction.lag.ms"] = std::to_string(24 * kHourMillis);
  entries["segment.bytes"] = std::to_string(64 << 20);
  entries["segment.ms"] = std::to_string(kHourMillis);
  entries["min.cleanable.dirty.ratio"] = "0.1";
}

Entries wanted_entries(const TopicWishes& wishes) {
  Entries entries;
  entries["max.message.bytes"] = std::to_string(kMaxMessageBytes);
  const bool compacted = wishes.compaction == TopicWishes::Compaction::yes;
  if (wishes.retention_millis)
    entries["retention.ms"] = std::to_string(*wishes.retention_millis);
  if (!compacted)
    entries["cleanup.policy"] = "delete";
  else
    entries["cleanup.policy"] = wishes.retention_millis ? "compact,delete" : "compact";
  if (compacted) add_compaction(entries);
  return entries;
}

kafka::NewTopic new_topic(const std::string& name, const TopicWishes& wishes) {
  kafka::NewTopic topic{name, wishes.partitions.value_or(wishes.partitions_of_new),
                        wishes.replication.value_or(-1), wanted_entries(wishes)};
  const bool deletes = topic.config.at("cleanup.policy") != "compact";
  if (deletes)
    topic.config.emplace("retention.ms", std::to_string(wishes.retention_of_new));
  return topic;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

// "delete,compact" and "compact,delete" are the same; numbers may be written in two ways; a limit
// on messages that is higher than needed is right, too.
bool is_as_wanted(const std::string& key, const std::string& is, const std::string& wanted) {
  if (is == wanted) return true;
  if (key == "cleanup.policy") return wanted == "compact,delete" && is == "delete,compact";
  const auto is_number = number(is);
  const auto wanted_number = number(wanted);
  if (!is_number || !wanted_number) return false;
  return key == "max.message.bytes" ? *is_number >= *wanted_number : *is_number == *wanted_number;
}

void compare_config(TopicPlan& plan, const kafka::ConfigValues& config,
                    const TopicWishes& wishes) {
  for (const auto& [key, wanted] : wanted_entries(wishes)) {
    const auto found = config.find(key);
    const std::string is = found == config.end() ? std::string{} : found->second.value;
    if (!is_as_wanted(key, is, wanted)) plan.changes.push_back({key, is, wanted});
  }
}

void compare_partitions(TopicPlan& plan, const kafka::TopicPlace& place,
                        const TopicWishes& wishes) {
  if (!wishes.partitions) return;
  const std::size_t has = place.partitions.size();
  const auto wanted = static_cast<std::size_t>(*wishes.partitions);
  if (wanted == has) return;
  if (wanted < has) {
    plan.refusals.push_back(
        fmt::format("has {} partitions and {} are wanted: Kafka cannot take partitions away; make a "
                    "new topic",
                    has, wanted));
  } else if (wishes.reordering == TopicWishes::Reordering::refused) {
    plan.refusals.push_back(fmt::format(
        "has {} partitions and {} are wanted: records are keyed by account, and with more "
        "partitions most keys move to another one, where new records can be read before old ones; "
        "let every consumer (the archiver, too) read to the end with the gateways stopped, or make "
        "a new topic; --accept-reordering does it all the same",
        has, wanted));
  } else {
    plan.grow_from = has;
    plan.grow_to = wanted;
  }
}

void compare_replication(TopicPlan& plan, const kafka::TopicPlace& place,
                         const TopicWishes& wishes) {
  if (!wishes.replication || place.partitions.empty()) return;
  const std::size_t has = place.partitions.front().replicas.size();
  if (has == static_cast<std::size_t>(*wishes.replication)) return;
  plan.refusals.push_back(
      fmt::format("has {} replicas and {} are wanted: that moves data between brokers; use "
                  "kafka-reassign-partitions",
                  has, *wishes.replication));
}

}  // namespace

TopicPlan plan_topic(const std::string& topic, const std::optional<kafka::TopicPlace>& place,
                     const kafka::ConfigValues& config, const TopicWishes& wishes) {
  TopicPlan plan{topic, std::nullopt, {}, std::nullopt, 0, {}};
  if (!place) {
    plan.create = new_topic(topic, wishes);
    return plan;
  }
  compare_partitions(plan, *place, wishes);
  compare_replication(plan, *place, wishes);
  compare_config(plan, config, wishes);
  return plan;
}

void carry_out(kafka::Admin& admin, const TopicPlan& plan) {
  if (plan.create) return admin.create(*plan.create);
  if (!plan.changes.empty()) {
    Entries entries;
    for (const ConfigChange& change : plan.changes) entries.emplace(change.key, change.to);
    admin.change(plan.topic, entries);
  }
  if (plan.grow_from) admin.grow(plan.topic, plan.grow_to);
}

}  // namespace segue::cli
