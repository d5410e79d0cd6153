#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/json_writer.hpp"
#include "cli/topics.hpp"
#include "exchange/error.hpp"
#include "warehouse/settings.hpp"

namespace segue::cli {
namespace {

constexpr int kMostPartitions = 10'000;
constexpr int kMostReplicas = 100;

enum class Done : std::uint8_t { no, yes };

// "604800000 (7 d)" for what is a time.
std::string readable(const std::string& key, const std::string& value) {
  if (value.empty()) return "nothing";
  if (!key.ends_with(".ms") || value.size() > 15 ||
      value.find_first_not_of("0123456789") != std::string::npos)
    return value;
  return fmt::format("{} ({})", value, duration_text(std::stoll(value)));
}

std::string create_text(const kafka::NewTopic& topic) {
  const std::string replicas = topic.replication < 0 ? std::string("by the brokers' default")
                                                     : std::to_string(topic.replication);
  std::string text = fmt::format("{} partitions, replicas {}\n", topic.partitions, replicas);
  for (const auto& [key, value] : topic.config)
    text += fmt::format("    {} = {}\n", key, readable(key, value));
  return text;
}

const char* why(const ConfigChange& change) {
  const bool stops_compaction = change.key == "cleanup.policy" && change.to == "delete";
  return stops_compaction ? ": a compacted topic loses what an archive should have (--compact keeps "
                            "it compacted)"
                          : "";
}

std::string plan_text(const TopicPlan& plan, const Paint& paint) {
  if (plan.nothing_to_do()) return fmt::format("{} {}\n", paint.good("ok    "), plan.topic);
  std::string text;
  for (const std::string& refusal : plan.refusals)
    text += fmt::format("{} {}: {}\n", paint.error("refuse"), plan.topic, refusal);
  if (plan.create)
    text += fmt::format("{} {}: {}", paint.strong("create"), plan.topic, create_text(*plan.create));
  for (const ConfigChange& change : plan.changes)
    text += fmt::format("{} {}: {} from {} to {}{}\n", paint.strong("change"), plan.topic,
                        change.key, readable(change.key, change.from),
                        readable(change.key, change.to), why(change));
  if (plan.grow_from)
    text += fmt::format("{} {}: partitions from {} to {}: most keys move to another partition\n",
                        paint.strong("change"), plan.topic, *plan.grow_from, plan.grow_to);
  return text;
}

void write_plan(JsonWriter& json, const TopicPlan& plan) {
  json.begin_object();
  json.member("topic", plan.topic);
  json.member("state", !plan.refusals.empty()  ? std::string_view("refused")
                       : plan.create           ? "missing"
                       : plan.nothing_to_do()  ? "ok"
                                               : "differs");
  if (plan.create) {
    json.key("create");
    json.begin_object();
    json.member("partitions", std::int64_t{plan.create->partitions});
    json.member("replication", std::int64_t{plan.create->replication});
    json.key("config");
    json.begin_object();
    for (const auto& [key, value] : plan.create->config) json.member(key, value);
    json.end_object();
    json.end_object();
  }
  json.key("changes");
  json.begin_array();
  for (const ConfigChange& change : plan.changes) {
    json.begin_object();
    json.member("key", change.key);
    json.member("from", change.from);
    json.member("to", change.to);
    json.end_object();
  }
  if (plan.grow_from) {
    json.begin_object();
    json.member("key", "partitions");
    json.member("from", std::to_string(*plan.grow_from));
    json.member("to", std::to_string(plan.grow_to));
    json.end_object();
  }
  json.end_array();
  json.key("refused");
  json.begin_array();
  for (const std::string& refusal : plan.refusals) json.text(refusal);
  json.end_array();
  json.end_object();
}

std::string plans_json(const std::vector<TopicPlan>& plans, Done done) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("mode", done == Done::yes ? "applied" : "dry_run");
  json.key("topics");
  json.begin_array();
  for (const TopicPlan& plan : plans) write_plan(json, plan);
  json.end_array();
  json.end_object();
  return text + '\n';
}

bool is_refused(const std::vector<TopicPlan>& plans) {
  return std::ranges::any_of(plans, [](const TopicPlan& plan) { return !plan.refusals.empty(); });
}

// Loaders read what was announced within it; the archive itself is where one that comes later begins.
constexpr std::chrono::milliseconds kManifestRetention = std::chrono::days(30);

std::string check_duration(const std::string& text) {
  return parse_duration(text) ? std::string{} : "write a duration as 7d, 36h or 90m, not " + text;
}

}  // namespace

std::vector<std::string> chosen_topics(const std::vector<std::string>& named,
                                       const kafka::Settings& settings) {
  if (!named.empty()) return named;
  std::vector<std::string> topics{settings.topic};
  if (!settings.shadow_topic.empty() && settings.shadow_topic != settings.topic)
    topics.push_back(settings.shadow_topic);
  return topics;
}

TopicsEnsureCommand::TopicsEnsureCommand(CLI::App& topics)
    : command_(topics.add_subcommand("ensure", "Creates topics, or changes them to what recording "
                                               "needs; without --yes only says how")) {
  command_->add_option("TOPIC", topics_,
                       "Default: those that the configuration names, that of the manifest among "
                       "them where archive.from is kafka");
  command_->add_option("--partitions", partitions_, "How many; more of them mixes up what is keyed")
      ->check(CLI::Range(1, kMostPartitions))
      ->capture_default_str();
  command_->add_option("--replication", replication_, "Copies of each; default: the brokers'")
      ->check(CLI::Range(1, kMostReplicas));
  command_->add_option("--retention", retention_, "How long records stay; of a new topic 7d")
      ->check(CLI::Validator(check_duration, "DURATION"));
  command_->add_flag("--compact", compact_,
                     "Keep the last exchange of each account; never for a topic that is archived");
  command_->add_flag("--accept-reordering", accept_reordering_,
                     "Add partitions although keys move to others");
  command_->add_flag("--yes", yes_, "Do it");
  kafka_.add_with_brokers_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool TopicsEnsureCommand::chosen() const { return command_->parsed(); }

TopicWishes TopicsEnsureCommand::wishes() const {
  TopicWishes wishes;
  if (command_->count("--partitions") != 0) wishes.partitions = partitions_;
  if (command_->count("--replication") != 0) wishes.replication = replication_;
  if (!retention_.empty()) wishes.retention_millis = parse_duration(retention_)->count();
  if (compact_) wishes.compaction = TopicWishes::Compaction::yes;
  if (accept_reordering_) wishes.reordering = TopicWishes::Reordering::accepted;
  return wishes;
}

// One partition keeps the order of a few records a second; of a topic that is there only what
// archiving needs is looked at.
TopicWishes TopicsEnsureCommand::wishes_for(const std::string& topic,
                                            const std::string& manifest) const {
  TopicWishes all = wishes();
  if (topic != manifest) return all;
  all.partitions_of_new = 1;
  all.retention_of_new = kManifestRetention.count();
  if (!topics_.empty()) return all;
  all.partitions.reset();  // what was said is about the topics of exchanges
  all.compaction = TopicWishes::Compaction::no;
  return all;
}

std::vector<TopicPlan> TopicsEnsureCommand::plans(const kafka::Settings& settings,
                                                  kafka::Cluster& cluster,
                                                  kafka::Admin& admin) const {
  const auto configured = kafka_.configuration();
  const warehouse::ArchiveSettings archive =
      configured ? configured->archive : warehouse::ArchiveSettings{};
  std::vector<std::string> topics = chosen_topics(topics_, settings);
  const bool announces = configured && configured->archives &&
                         archive.from == warehouse::ArchiveFrom::kafka &&
                         archive.manifest != warehouse::kNoManifest;
  if (topics_.empty() && announces) topics.push_back(archive.manifest);
  std::vector<TopicPlan> plans;
  for (const std::string& topic : topics) {
    const auto place = cluster.find_topic(topic);
    plans.push_back(plan_topic(topic, place,
                               place ? admin.topic_config(topic) : kafka::ConfigValues{},
                               wishes_for(topic, archive.manifest)));
  }
  return plans;
}

int TopicsEnsureCommand::run() {
  const kafka::Settings settings = kafka_.settings();
  kafka::Cluster cluster(settings, kafka_.timeout());
  kafka::Admin admin(cluster);
  const std::vector<TopicPlan> plans = this->plans(settings, cluster, admin);
  const bool nothing_to_do = std::ranges::all_of(plans, &TopicPlan::nothing_to_do);
  const bool refused = is_refused(plans);
  const Done done = yes_ && !refused ? Done::yes : Done::no;
  for (const TopicPlan& plan : plans) {
    if (done == Done::yes) carry_out(admin, plan);
    // Each as soon as it is done: the next one may fail.
    if (form_ != OutputForm::json)
      fmt::print("{}", plan_text(plan, Paint(colour_, stdout)));
  }
  if (form_ == OutputForm::json) fmt::print("{}", plans_json(plans, done));
  if (compact_)
    fmt::print(stderr, "seguectl: a compacted topic forgets all but the last exchange of each "
                       "account: do not archive it\n");
  if (refused) {
    fmt::print(stderr, "seguectl: nothing was changed\n");
    return kFailed;
  }
  if (done == Done::yes && !nothing_to_do) fmt::print(stderr, "seguectl: done\n");
  if (done == Done::yes || nothing_to_do) return kClean;
  fmt::print(stderr, "seguectl: nothing was changed; --yes does it\n");
  return kFound;
}

}  // namespace segue::cli
