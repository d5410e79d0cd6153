#include "cli/archive/restore_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <span>
#include <string_view>

#include "cli/exchange_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/filters.hpp"
#include "cli/interruption.hpp"
#include "cli/json_writer.hpp"
#include "cli/progress.hpp"
#include "cli/whole_number.hpp"
#include "exchange/error.hpp"
#include "warehouse/archive/archive.hpp"

namespace segue::cli {
namespace {

using warehouse::PartitionPlan;

std::string moment(std::int64_t unix_micros) {
  return unix_micros == 0 ? "-" : time_text(unix_micros);
}

// Everything of all partitions.
PartitionPlan sum(std::span<const PartitionPlan> plans) {
  PartitionPlan all;
  for (const PartitionPlan& plan : plans) {
    all.rows += plan.rows;
    all.there += plan.there;
    all.held += plan.held;
    all.lost += plan.lost;
    all.forgotten += plan.forgotten;
    all.unfinished += plan.unfinished;
  }
  return all;
}

std::string plans_text(std::span<const PartitionPlan> plans) {
  std::string text = fmt::format("{:>9} {:>13} {:>13} {:>13}  {:<28} {}\n", "PARTITION", "TO RESTORE",
                                 "THERE BEFORE", "TOPIC HOLDS", "FIRST", "LAST");
  for (const PartitionPlan& plan : plans)
    text += fmt::format("{:>9} {:>13} {:>13} {:>13}  {:<28} {}\n", plan.partition,
                        grouped(plan.to_do()), grouped(plan.there), grouped(plan.held),
                        moment(plan.first), moment(plan.last));
  return text;
}

// What does not come back.
std::string gaps_text(const PartitionPlan& all) {
  std::string text;
  if (all.lost != 0)
    text += fmt::format("{} offsets were lost before they were archived\n", grouped(all.lost));
  if (all.forgotten != 0)
    text += fmt::format("{} rows were taken out of the archive (`seguectl forget`)\n",
                        grouped(all.forgotten));
  if (all.unfinished != 0)
    text += fmt::format("{} offsets are claimed and in no file yet: let `seguectl archive` finish "
                        "them first\n",
                        grouped(all.unfinished));
  return text;
}

std::string plans_json(std::span<const PartitionPlan> plans, std::string_view mode,
                       std::uint64_t restored) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("mode", mode);
  json.member("restored", restored);
  json.key("partitions");
  json.begin_array();
  for (const PartitionPlan& plan : plans) {
    json.begin_object();
    json.member("partition", std::int64_t{plan.partition});
    json.member("to_restore", plan.to_do());
    json.member("there_before", plan.there);
    json.member("topic_holds", plan.held);
    for (const auto& [name, at] : {std::pair("first", plan.first), std::pair("last", plan.last)}) {
      json.key(name);
      if (at == 0)
        json.null();
      else
        json.text(time_text(at));
    }
    json.member("lost", plan.lost);
    json.member("forgotten", plan.forgotten);
    json.member("unfinished", plan.unfinished);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return text + '\n';
}

}  // namespace

RestoreCommand::RestoreCommand(CLI::App& program)
    : command_(program.add_subcommand(
          "restore", "Puts records of an archive back into Kafka; without --yes only says which")) {
  command_->add_option("TARGET", target_, "kafka://BROKERS/TOPIC; default: recorder.kafka of the configuration");
  command_->add_option("--from", from_,
                       "archive:DIR or archive:s3://BUCKET/PREFIX; default: archive.to of the "
                       "configuration")
      ->type_name("ARCHIVE");
  command_->add_option("--source", source_,
                       "Topic whose records they were; default: the one they go to")
      ->type_name("TOPIC");
  add_moment_option(*command_, "--since", since_, "24h, 7d, 2026-11-21 or 2026-11-21T09:00:00Z");
  add_moment_option(*command_, "--until", until_, "The same; only what came before it");
  command_->add_option("--partitions", partitions_, "0,3,...; default: all")
      ->delimiter(',')
      ->check(whole_number(0));
  command_->add_flag("--yes", yes_, "Do it");
  kafka_.add_to(*command_);
  add_output_option(*command_, form_);
}

bool RestoreCommand::chosen() const { return command_->parsed(); }

warehouse::RestoreRequest RestoreCommand::request(const KafkaSource& target) const {
  return {.settings = target.settings,
          .topic = target.topic,
          .source = source_.empty() ? target.topic : source_,
          .partitions = partitions_,
          .times = {since_, until_},
          .timeout = target.timeout};
}

int RestoreCommand::run() {
  const Source target = resolve_source(target_, kafka_, SourceKinds::topic);
  const ArchiveSource from = *resolve_source(from_, kafka_, SourceKinds::archive).archive;
  const auto store = warehouse::open_store(from.location, from.s3, interrupted);
  const warehouse::Archive archive = warehouse::Archive::open(*store);
  listen_for_interrupts();
  warehouse::Restore restore(request(*target.kafka), archive);
  std::vector<PartitionPlan> plans;
  {
    Progress progress(fmt::format("looking at {}", target.kafka->topic));
    plans = restore.plan([&](auto done, auto total) { progress.at(done, total); }, interrupted);
  }
  if (interrupted()) return kInterrupted;
  const PartitionPlan all = sum(plans);
  if (form_ == OutputForm::text) fmt::print("{}", plans_text(plans));
  fmt::print(stderr, "{}", gaps_text(all));
  if (!yes_ || all.to_do() == 0) {
    if (form_ == OutputForm::json) fmt::print("{}", plans_json(plans, yes_ ? "applied" : "dry_run", 0));
    if (all.to_do() == 0) return kClean;
    fmt::print(stderr, "seguectl: nothing was changed; --yes does it\n");
    return kFound;
  }
  Progress progress(fmt::format("restoring {}", target.kafka->topic));
  const std::uint64_t restored =
      restore.carry_out([&](auto done, auto total) { progress.at(done, total); }, interrupted);
  progress.wipe();
  if (form_ == OutputForm::json) fmt::print("{}", plans_json(plans, "applied", restored));
  if (restore.cut() != 0)
    fmt::print(stderr, "seguectl: {} records had bodies cut to what the topic takes\n",
               grouped(restore.cut()));
  fmt::print(stderr, "seguectl: {} records were put back{}\n", grouped(restored),
             interrupted() ? "; the same command goes on from here" : "");
  return interrupted() ? kInterrupted : kClean;
}

}  // namespace segue::cli
