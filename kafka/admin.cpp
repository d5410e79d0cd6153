#include "kafka/admin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include "kafka/admin_call.hpp"

namespace segue::kafka {
namespace {

struct EndResource {
  void operator()(rd_kafka_ConfigResource_t* resource) const noexcept {
    rd_kafka_ConfigResource_destroy(resource);
  }
};
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, EndResource>;

struct EndNewTopic {
  void operator()(rd_kafka_NewTopic_t* topic) const noexcept { rd_kafka_NewTopic_destroy(topic); }
};
struct EndNewPartitions {
  void operator()(rd_kafka_NewPartitions_t* partitions) const noexcept {
    rd_kafka_NewPartitions_destroy(partitions);
  }
};

constexpr std::size_t kErrorText = 256;  // of librdkafka

ConfigValue::From level_of(rd_kafka_ConfigSource_t source) {
  switch (source) {
    case RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG:
      return ConfigValue::From::topic;
    case RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG:
    case RD_KAFKA_CONFIG_SOURCE_UNKNOWN_CONFIG:
      return ConfigValue::From::standard;
    default:
      return ConfigValue::From::broker;
  }
}

void check_resource(const Cluster& cluster, std::string_view doing,
                    const rd_kafka_ConfigResource_t* resource) {
  const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resource);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* const why = rd_kafka_ConfigResource_error_string(resource);
  throw cluster.failure(doing, code, why == nullptr ? std::string_view{} : why);
}

void check_topics(const Cluster& cluster, std::string_view doing,
                  const rd_kafka_topic_result_t** results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* const why = rd_kafka_topic_result_error_string(results[i]);
    throw cluster.failure(doing, code, why == nullptr ? std::string_view{} : why);
  }
}

ConfigValues describe(Cluster& cluster, rd_kafka_ResourceType_t type, const std::string& name) {
  const std::string doing = fmt::format("asking for the configuration of {}", name);
  const Resource resource(rd_kafka_ConfigResource_new(type, name.c_str()));
  const Event event = ask(cluster, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, doing,
                          [&](rd_kafka_t* handle, auto* options, auto* queue) {
                            rd_kafka_ConfigResource_t* one = resource.get();
                            rd_kafka_DescribeConfigs(handle, &one, 1, options, queue);
                          });
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** const resources = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &count);
  ConfigValues values;
  for (std::size_t i = 0; i < count; ++i) {
    check_resource(cluster, doing, resources[i]);
    std::size_t entries = 0;
    const rd_kafka_ConfigEntry_t** const entry =
        rd_kafka_ConfigResource_configs(resources[i], &entries);
    for (std::size_t at = 0; at < entries; ++at) {
      const char* const value = rd_kafka_ConfigEntry_value(entry[at]);
      if (value == nullptr || rd_kafka_ConfigEntry_is_sensitive(entry[at]) == 1) continue;
      values.insert_or_assign(rd_kafka_ConfigEntry_name(entry[at]),
                              ConfigValue{value, level_of(rd_kafka_ConfigEntry_source(entry[at]))});
    }
  }
  return values;
}

}  // namespace

ConfigValues Admin::topic_config(const std::string& topic) {
  return describe(cluster_, RD_KAFKA_RESOURCE_TOPIC, topic);
}

ConfigValues Admin::broker_config(std::int32_t broker) {
  return describe(cluster_, RD_KAFKA_RESOURCE_BROKER, std::to_string(broker));
}

void Admin::create(const NewTopic& topic) {
  const std::string doing = fmt::format("creating topic {}", topic.name);
  std::array<char, kErrorText> why{};
  const std::unique_ptr<rd_kafka_NewTopic_t, EndNewTopic> request(rd_kafka_NewTopic_new(
      topic.name.c_str(), topic.partitions, topic.replication, why.data(), why.size()));
  if (!request) throw cluster_.failure(doing, RD_KAFKA_RESP_ERR__INVALID_ARG, why.data());
  for (const auto& [key, value] : topic.config)
    rd_kafka_NewTopic_set_config(request.get(), key.c_str(), value.c_str());
  const Event event = ask(cluster_, RD_KAFKA_ADMIN_OP_CREATETOPICS, doing,
                          [&](rd_kafka_t* handle, auto* options, auto* queue) {
                            rd_kafka_NewTopic_t* one = request.get();
                            rd_kafka_CreateTopics(handle, &one, 1, options, queue);
                          });
  std::size_t count = 0;
  const rd_kafka_topic_result_t** const results = rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(event.get()), &count);
  check_topics(cluster_, doing, results, count);
  wait_for_leaders(topic.name);
}

// The controller has made it; each broker hears of it a moment later.
void Admin::wait_for_leaders(const std::string& topic) {
  constexpr std::chrono::milliseconds kBetween{20};
  const auto end = std::chrono::steady_clock::now() + cluster_.timeout();
  while (std::chrono::steady_clock::now() < end) {
    const auto place = cluster_.find_topic(topic);
    const bool led = place && !place->partitions.empty() &&
                     std::ranges::all_of(place->partitions, [](const PartitionPlace& partition) {
                       return partition.leader >= 0;
                     });
    if (led) return;
    std::this_thread::sleep_for(kBetween);
  }
}

void Admin::grow(const std::string& topic, std::size_t total) {
  const std::string doing = fmt::format("adding partitions to {}", topic);
  std::array<char, kErrorText> why{};
  const std::unique_ptr<rd_kafka_NewPartitions_t, EndNewPartitions> request(
      rd_kafka_NewPartitions_new(topic.c_str(), total, why.data(), why.size()));
  if (!request) throw cluster_.failure(doing, RD_KAFKA_RESP_ERR__INVALID_ARG, why.data());
  const Event event = ask(cluster_, RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, doing,
                          [&](rd_kafka_t* handle, auto* options, auto* queue) {
                            rd_kafka_NewPartitions_t* one = request.get();
                            rd_kafka_CreatePartitions(handle, &one, 1, options, queue);
                          });
  std::size_t count = 0;
  const rd_kafka_topic_result_t** const results = rd_kafka_CreatePartitions_result_topics(
      rd_kafka_event_CreatePartitions_result(event.get()), &count);
  check_topics(cluster_, doing, results, count);
}

void Admin::change(const std::string& topic, const std::map<std::string, std::string>& entries) {
  const std::string doing = fmt::format("changing topic {}", topic);
  std::map<std::string, std::string> all;
  for (const auto& [key, value] : topic_config(topic))
    if (value.from == ConfigValue::From::topic) all.emplace(key, value.value);
  for (const auto& [key, value] : entries) all.insert_or_assign(key, value);
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  for (const auto& [key, value] : all)
    rd_kafka_ConfigResource_set_config(resource.get(), key.c_str(), value.c_str());
  const Event event = ask(cluster_, RD_KAFKA_ADMIN_OP_ALTERCONFIGS, doing,
                          [&](rd_kafka_t* handle, auto* options, auto* queue) {
                            rd_kafka_ConfigResource_t* one = resource.get();
                            rd_kafka_AlterConfigs(handle, &one, 1, options, queue);
                          });
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** const results = rd_kafka_AlterConfigs_result_resources(
      rd_kafka_event_AlterConfigs_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) check_resource(cluster_, doing, results[i]);
}

}  // namespace segue::kafka
