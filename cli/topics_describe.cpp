#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/json_writer.hpp"
#include "cli/topics.hpp"
#include "cli/topics_look.hpp"

namespace segue::cli {
namespace {

struct ClusterLook {
  std::vector<kafka::BrokerPlace> brokers;
  std::int32_t controller = -1;
};

std::string ids_text(const std::vector<std::int32_t>& ids) {
  return fmt::format("{}", fmt::join(ids, ","));
}

std::string cluster_text(const ClusterLook& cluster, const Paint& paint) {
  std::string text = paint.strong("brokers") + "\n";
  for (const kafka::BrokerPlace& broker : cluster.brokers)
    text += fmt::format("  {:<4} {}:{}{}\n", broker.id, broker.host, broker.port,
                        broker.id == cluster.controller ? "  controller" : "");
  return text;
}

std::string partitions_text(const TopicLook& look, const Paint& paint) {
  std::string text = fmt::format("  {:<10}{:>7} {:<12} {:<12} {:>14} {:>14} {:>14}\n", "PARTITION",
                                 "LEADER", "REPLICAS", "IN SYNC", "LOW", "HIGH", "RECORDS");
  for (const kafka::PartitionPlace& partition : look.place.partitions) {
    const kafka::OffsetRange range = look.offsets.at(partition.id);
    const bool whole = partition.in_sync.size() == partition.replicas.size();
    const std::string in_sync = fmt::format("{:<12}", ids_text(partition.in_sync));
    text += fmt::format("  {:<10}{:>7} {:<12} {} {:>14} {:>14} {:>14}\n", partition.id,
                        partition.leader, ids_text(partition.replicas),
                        whole ? in_sync : paint.error(in_sync), grouped(range.low),
                        grouped(range.high), grouped(range.high - range.low));
  }
  return text;
}

std::string config_text(const TopicLook& look) {
  std::string text;
  for (const auto& [key, value] : look.config)
    if (value.from != kafka::ConfigValue::From::standard)
      text += fmt::format("  {} = {}{}\n", key, value.value,
                          value.from == kafka::ConfigValue::From::broker ? "  (of the broker)"
                                                                         : "");
  return text;
}

std::string retention_text(const TopicLook& look) {
  const auto found = look.config.find("retention.ms");
  if (found == look.config.end()) return "unknown";
  if (found->second.value == "-1") return "for ever";
  const auto millis = parse_duration(found->second.value + "ms");
  return millis ? duration_text(millis->count()) : found->second.value;
}

std::string schema_text(const TopicLook& look, const Paint& paint) {
  if (!look.schema) return {};
  const kafka::RegisteredSchema& schema = *look.schema;
  if (schema.answer.kind == kafka::RegistryAnswer::Kind::ok)
    return fmt::format("  schema     id {}, version {}, {}\n", schema.answer.schema_id,
                       schema.version, schema.type);
  return fmt::format("  schema     {}\n", paint.error(schema.answer.detail));
}

std::string topic_text(const TopicLook& look, const Paint& paint) {
  std::string text = fmt::format(
      "\n{}  {} records, {} partitions, skew {:.2f}\n  retention  {}\n  written    {:.1f} "
      "records/s\n",
      paint.strong(look.place.name), grouped(look.records()), look.place.partitions.size(),
      look.skew(), retention_text(look), look.written_a_second);
  text += schema_text(look, paint);
  for (const GroupRate& group : look.groups)
    text += fmt::format("  read       {:.1f} records/s by {}, {} behind\n", group.records_a_second,
                        group.group, grouped(group.lag));
  return text + partitions_text(look, paint) + config_text(look);
}

void write_ids(JsonWriter& json, std::string_view name, const std::vector<std::int32_t>& ids) {
  json.key(name);
  json.begin_array();
  for (const std::int32_t id : ids) json.number(std::int64_t{id});
  json.end_array();
}

void write_partitions(JsonWriter& json, const TopicLook& look) {
  json.key("partitions");
  json.begin_array();
  for (const kafka::PartitionPlace& partition : look.place.partitions) {
    const kafka::OffsetRange range = look.offsets.at(partition.id);
    json.begin_object();
    json.member("partition", std::int64_t{partition.id});
    json.member("leader", std::int64_t{partition.leader});
    write_ids(json, "replicas", partition.replicas);
    write_ids(json, "in_sync", partition.in_sync);
    json.member("low", range.low);
    json.member("high", range.high);
    json.end_object();
  }
  json.end_array();
}

void write_groups(JsonWriter& json, const TopicLook& look) {
  json.key("groups");
  json.begin_array();
  for (const GroupRate& group : look.groups) {
    json.begin_object();
    json.member("group", group.group);
    json.member("lag", group.lag);
    json.key("records_per_second");
    json.decimal(group.records_a_second);
    json.end_object();
  }
  json.end_array();
}

void write_schema(JsonWriter& json, const TopicLook& look) {
  if (!look.schema) return;
  json.key("schema");
  json.begin_object();
  if (look.schema->answer.kind == kafka::RegistryAnswer::Kind::ok) {
    json.member("id", std::int64_t{look.schema->answer.schema_id});
    json.member("version", std::int64_t{look.schema->version});
    json.member("type", look.schema->type);
  } else {
    json.member("error", look.schema->answer.detail);
  }
  json.end_object();
}

void write_topic(JsonWriter& json, const TopicLook& look) {
  json.begin_object();
  json.member("topic", look.place.name);
  json.member("records", look.records());
  json.key("skew");
  json.decimal(look.skew());
  json.key("written_per_second");
  json.decimal(look.written_a_second);
  write_schema(json, look);
  write_groups(json, look);
  write_partitions(json, look);
  json.key("config");
  json.begin_object();
  for (const auto& [key, value] : look.config)
    if (value.from != kafka::ConfigValue::From::standard) json.member(key, value.value);
  json.end_object();
  json.end_object();
}

std::string all_json(const ClusterLook& cluster, const std::vector<TopicLook>& looks) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.key("brokers");
  json.begin_array();
  for (const kafka::BrokerPlace& broker : cluster.brokers) {
    json.begin_object();
    json.member("id", std::int64_t{broker.id});
    json.member("host", broker.host);
    json.member("port", std::int64_t{broker.port});
    json.end_object();
  }
  json.end_array();
  json.member("controller", std::int64_t{cluster.controller});
  json.key("topics");
  json.begin_array();
  for (const TopicLook& look : looks) write_topic(json, look);
  json.end_array();
  json.end_object();
  return text + '\n';
}

}  // namespace

TopicsDescribeCommand::TopicsDescribeCommand(CLI::App& topics)
    : command_(topics.add_subcommand(
          "describe", "Brokers, partitions, offsets, rates, skew, configuration and schema")) {
  command_->add_option("TOPIC", topics_, "Default: those that the configuration names");
  command_->add_option("--over", over_, "How long to watch for the rates; 0s: not at all")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return parse_duration(text) ? std::string{} : "write a duration as 2s, not " + text;
          },
          "DURATION"))
      ->capture_default_str();
  kafka_.add_with_brokers_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool TopicsDescribeCommand::chosen() const { return command_->parsed(); }

int TopicsDescribeCommand::run() {
  const kafka::Settings settings = kafka_.settings();
  kafka::Cluster cluster(settings, kafka_.timeout());
  const std::vector<TopicLook> looks =
      look_at_topics(cluster, chosen_topics(topics_, settings), *parse_duration(over_));
  const ClusterLook whole{cluster.brokers(), cluster.controller()};
  if (form_ == OutputForm::json) {
    fmt::print("{}", all_json(whole, looks));
    return kClean;
  }
  const Paint paint(colour_, stdout);
  fmt::print("{}", cluster_text(whole, paint));
  for (const TopicLook& look : looks) fmt::print("{}", topic_text(look, paint));
  return kClean;
}

}  // namespace segue::cli
