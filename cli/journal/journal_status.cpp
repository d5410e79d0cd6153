#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/exchange_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/journal/journal_commands.hpp"
#include "cli/journal/journal_look.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"
#include "runtime/clock.hpp"

namespace segue::cli {
namespace {

std::string_view name_of(RunLook::State state) {
  switch (state) {
    case RunLook::State::runs:
      return "runs";
    case RunLook::State::sealed:
      return "ended";
    case RunLook::State::dead:
      return "died";
  }
  return "";
}

std::string_view name_of(ConsumerLook::Standing standing) {
  switch (standing) {
    case ConsumerLook::Standing::configured:
      return "configured";
    case ConsumerLook::Standing::registered:
      return "registered";
    case ConsumerLook::Standing::former:
      return "former";
  }
  return "";
}

std::string age_text(std::int64_t unix_micros) {
  if (unix_micros == 0) return "-";
  const std::int64_t age = runtime::unix_micros_now() - unix_micros;
  const double seconds = static_cast<double>(std::max<std::int64_t>(0, age)) / 1e6;
  if (seconds < 120) return fmt::format("{:.1f} s", seconds);
  return seconds < 7'200 ? fmt::format("{:.0f} min", seconds / 60)
                         : fmt::format("{:.1f} h", seconds / 3'600);
}

std::string runs_text(const JournalLook& look, const Paint& paint) {
  std::string text = paint.strong(fmt::format("{:<36} {:<7} {:>5} {:>9} {:>16} {:>12} {:>12}", "RUN",
                                              "GATEWAY", "LANE", "SEGMENTS", "BYTES", "FIRST",
                                              "LAST")) +
                     "\n";
  for (const RunLook& run : look.runs)
    for (const LaneLook& lane : run.lanes)
      text += fmt::format("{:<36} {:<7} {:>5} {:>9} {:>16} {:>12} {:>12}\n", run.run,
                          name_of(run.state), lane.lane, grouped(lane.segments),
                          grouped(lane.bytes), lane.first == 0 ? "-" : grouped(lane.first),
                          lane.last == 0 ? "-" : grouped(lane.last));
  return text;
}

std::string consumers_text(const JournalLook& look, const Paint& paint) {
  if (look.consumers.empty())
    return "no consumers: where max_size is reached, the oldest is overwritten\n";
  std::string text = paint.strong(fmt::format("{:<24} {:<11} {:>14} {:>16} {:>10}", "CONSUMER", "IS",
                                              "BEHIND", "BYTES", "OLDEST")) +
                     "\n";
  for (const ConsumerLook& one : look.consumers) {
    text += fmt::format("{:<24} {:<11} ", printable(one.name), name_of(one.standing));
    text += one.trouble.empty()
                ? fmt::format("{:>14} {:>16} {:>10}\n", grouped(one.records()),
                              grouped(one.bytes()), age_text(one.oldest_unix_micros()))
                : paint.error(one.trouble) + "\n";
  }
  return text;
}

std::string as_text(const JournalLook& look, const Paint& paint) {
  std::string text = runs_text(look, paint) + "\n" + consumers_text(look, paint);
  for (const std::string& damage : look.damage) text += paint.error("damaged: ") + damage + "\n";
  return text;
}

void write_runs(JsonWriter& json, const JournalLook& look) {
  json.key("runs");
  json.begin_array();
  for (const RunLook& run : look.runs) {
    json.begin_object();
    json.member("run", run.run);
    json.member("gateway", name_of(run.state));
    json.member("segments", run.segments());
    json.member("bytes", run.bytes());
    json.key("consumers");
    json.begin_array();
    for (const std::string& name : run.configured) json.text(name);
    json.end_array();
    json.key("lanes");
    json.begin_array();
    for (const LaneLook& lane : run.lanes) {
      json.begin_object();
      json.member("lane", std::uint64_t{lane.lane});
      json.member("segments", lane.segments);
      json.member("bytes", lane.bytes);
      json.member("first", lane.first);
      json.member("last", lane.last);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void write_consumers(JsonWriter& json, const JournalLook& look) {
  json.key("consumers");
  json.begin_array();
  for (const ConsumerLook& one : look.consumers) {
    json.begin_object();
    json.member("name", one.name);
    json.member("standing", name_of(one.standing));
    json.key("running");
    json.boolean(one.runs);
    if (one.trouble.empty()) {
      json.member("records", one.records());
      json.member("bytes", one.bytes());
      json.key("oldest");
      if (one.oldest_unix_micros() == 0)
        json.null();
      else
        json.text(time_text(one.oldest_unix_micros()));
    } else {
      json.member("trouble", one.trouble);
    }
    json.end_object();
  }
  json.end_array();
}

std::string as_json(const JournalPlace& place, const JournalLook& look) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("journal", place.name());
  write_runs(json, look);
  write_consumers(json, look);
  json.key("damage");
  json.begin_array();
  for (const std::string& damage : look.damage) json.text(damage);
  json.end_array();
  json.end_object();
  return text + '\n';
}

}  // namespace

JournalStatusCommand::JournalStatusCommand(CLI::App& journal)
    : command_(journal.add_subcommand("status",
                                      "Runs, lanes and segments, and how far its consumers are")) {
  place_.add_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool JournalStatusCommand::chosen() const { return command_->parsed(); }

int JournalStatusCommand::run() {
  place_.resolve();
  const JournalLook look = look_at_journal(place_);
  write_out(form_ == OutputForm::json ? as_json(place_, look)
                                      : as_text(look, Paint(colour_, stdout)));
  return kClean;
}

}  // namespace segue::cli
