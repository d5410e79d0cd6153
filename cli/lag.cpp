#include "cli/lag.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

#include "cli/duration.hpp"
#include "cli/exchange_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/group_lag.hpp"
#include "cli/journal_backlog.hpp"
#include "cli/json_writer.hpp"
#include "cli/whole_number.hpp"
#include "exchange/error.hpp"
#include "recorder/journal/reader.hpp"

namespace segue::cli {
namespace {

constexpr const char* kPublisher = "publisher";  // its name among the journal's consumers

std::int64_t now_millis() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Everything that one look found.
struct Lags {
  std::optional<std::vector<RunBacklog>> publisher;  // by run
  std::vector<GroupLag> groups;
  std::int64_t now_millis = 0;
  std::chrono::milliseconds warn_before{0};

  std::uint64_t publisher_records() const {
    std::uint64_t sum = 0;
    for (const RunBacklog& run : publisher.value_or(std::vector<RunBacklog>{})) sum += run.records;
    return sum;
  }
  bool is_expiring(const GroupLag& group) const {
    return group.expiry.kind == Expiry::Kind::known &&
           group.expiry.unix_millis - now_millis <= warn_before.count();
  }
};

std::string age_text(std::int64_t unix_micros, std::int64_t now) {
  if (unix_micros == 0) return "-";
  const double seconds = static_cast<double>(now - unix_micros / 1000) / 1000;
  if (seconds < 120) return fmt::format("{:.1f} s", std::max(seconds, 0.0));
  if (seconds < 7'200) return fmt::format("{:.0f} min", seconds / 60);
  return seconds < 172'800 ? fmt::format("{:.1f} h", seconds / 3'600)
                           : fmt::format("{:.1f} d", seconds / 86'400);
}

std::string publisher_text(const Lags& lags, const Paint& paint) {
  std::string text = fmt::format("{}\n  {:<42} {:<6} {:>12} {:>16} {:>10}\n",
                                 paint.strong("publisher"), "RUN", "GATEWAY", "RECORDS", "BYTES",
                                 "OLDEST");
  for (const RunBacklog& run : *lags.publisher)
    text += fmt::format("  {:<42} {:<6} {:>13} {:>16} {:>10}\n", run.run,
                        run.life == RunBacklog::Life::alive ? "runs" : "ended",
                        grouped(run.records), grouped(run.bytes),
                        age_text(run.oldest_unix_micros, lags.now_millis));
  return text;
}

std::string expiry_text(const Lags& lags, const GroupLag& group, const Paint& paint) {
  switch (group.expiry.kind) {
    case Expiry::Kind::in_use:
      return {};
    case Expiry::Kind::unknown:
      return fmt::format("  nobody is in it; when its offsets expire is not known: {}\n",
                         group.expiry.why);
    case Expiry::Kind::known:
      break;
  }
  const std::string when = time_text(group.expiry.unix_millis * 1'000);
  const std::string text = fmt::format("nobody is in it: its offsets expire from {} on", when);
  return lags.is_expiring(group)
             ? fmt::format("  {} {}\n", paint.error("warning:"),
                           text + "; then it begins anew, or skips all there is")
             : fmt::format("  {}\n", text);
}

std::string group_text(const Lags& lags, const GroupLag& group, const Paint& paint) {
  std::string text =
      fmt::format("{}  {}, {} members, {} behind\n", paint.strong(group.group.name),
                  group.group.state, group.group.members, grouped(group.lag()));
  text += expiry_text(lags, group, paint);
  if (group.partitions.empty()) return text;
  text += fmt::format("  {:<32} {:>9} {:>14} {:>14} {:>12}\n", "TOPIC", "PARTITION", "COMMITTED",
                      "END", "LAG");
  for (const PartitionLag& one : group.partitions) {
    const std::string lost =
        one.lost > 0 ? paint.error(fmt::format("  {} lost to retention", grouped(one.lost)))
                     : std::string{};
    text += fmt::format("  {:<32} {:>9} {:>14} {:>14} {:>12}{}\n", one.topic, one.partition,
                        grouped(one.committed), grouped(one.end), grouped(one.lag()), lost);
  }
  return text;
}

void write_publisher(JsonWriter& json, const Lags& lags) {
  if (!lags.publisher) return;
  json.key("publisher");
  json.begin_object();
  json.member("records", lags.publisher_records());
  json.key("runs");
  json.begin_array();
  for (const RunBacklog& run : *lags.publisher) {
    json.begin_object();
    json.member("run", run.run);
    json.member("gateway", run.life == RunBacklog::Life::alive ? "runs" : "ended");
    json.member("records", run.records);
    json.member("bytes", run.bytes);
    json.key("oldest");
    if (run.oldest_unix_micros == 0)
      json.null();
    else
      json.text(time_text(run.oldest_unix_micros));
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void write_expiry(JsonWriter& json, const Lags& lags, const GroupLag& group) {
  if (group.expiry.kind == Expiry::Kind::in_use) return;
  json.key("expiry");
  json.begin_object();
  if (group.expiry.kind == Expiry::Kind::known) {
    json.member("from", time_text(group.expiry.unix_millis * 1'000));
    json.member("state", lags.is_expiring(group) ? "soon" : "later");
  } else {
    json.member("state", "unknown");
    json.member("reason", group.expiry.why);
  }
  json.end_object();
}

void write_group(JsonWriter& json, const Lags& lags, const GroupLag& group) {
  json.begin_object();
  json.member("group", group.group.name);
  json.member("state", group.group.state);
  json.member("members", static_cast<std::uint64_t>(group.group.members));
  json.member("lag", group.lag());
  write_expiry(json, lags, group);
  json.key("partitions");
  json.begin_array();
  for (const PartitionLag& one : group.partitions) {
    json.begin_object();
    json.member("topic", one.topic);
    json.member("partition", std::int64_t{one.partition});
    json.member("committed", one.committed);
    json.member("end", one.end);
    json.member("lag", one.lag());
    json.member("lost", one.lost);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

std::string as_json(const Lags& lags) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  write_publisher(json, lags);
  json.key("groups");
  json.begin_array();
  for (const GroupLag& group : lags.groups) write_group(json, lags, group);
  json.end_array();
  json.end_object();
  return text + '\n';
}

std::string as_text(const Lags& lags, const Paint& paint) {
  std::string text;
  if (lags.publisher) text += publisher_text(lags, paint);
  for (const GroupLag& group : lags.groups)
    text += (text.empty() ? "" : "\n") + group_text(lags, group, paint);
  return text;
}

std::uint64_t largest(const Lags& lags) {
  std::uint64_t most = lags.publisher_records();
  for (const GroupLag& group : lags.groups) most = std::max(most, group.lag());
  return most;
}

// Whether groups were asked about that do not exist: nobody is in them, and they have no offsets.
bool tell_unknown(const std::vector<GroupLag>& groups) {
  const auto is_unknown = [](const GroupLag& one) {
    return one.group.state == "Dead" && one.partitions.empty();
  };
  for (const GroupLag& one : groups)
    if (is_unknown(one))
      fmt::print(stderr,
                 "seguectl: there is no group '{}'; `seguectl lag` without --group lists all\n",
                 one.group.name);
  return std::ranges::any_of(groups, is_unknown);
}

}  // namespace

LagCommand::LagCommand(CLI::App& program)
    : command_(program.add_subcommand(
          "lag", "How far the publisher and consumer groups are behind")) {
  command_->add_option("--group", groups_, "Only this group; may be given again")
      ->allow_extra_args(false);
  command_->add_option("--journal", journal_, "Folder of the journal; default: the configuration's")
      ->type_name("DIR");
  command_->add_option("--max", max_, "Exit code 1 when one is further behind, in records")
      ->check(whole_number(0));
  command_
      ->add_option("--warn-before", warn_before_,
                   "Warn when offsets expire within this time")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return parse_duration(text) ? std::string{} : "write a duration as 24h, not " + text;
          },
          "DURATION"))
      ->capture_default_str();
  kafka_.add_with_brokers_to(*command_);
  add_output_option(*command_, form_);
  add_colour_option(*command_, colour_);
}

bool LagCommand::chosen() const { return command_->parsed(); }

// Whoever looks after Kafka has the configuration, but not always the gateway's disk.
std::filesystem::path LagCommand::journal_or_configured(
    const std::optional<config::Settings>& configured) const {
  if (!journal_.empty() || !configured || !configured->kafka) return journal_;
  std::error_code error;
  const std::filesystem::path& directory = configured->journal.directory;
  return std::filesystem::exists(directory, error) ? directory : std::filesystem::path{};
}

int LagCommand::run() {
  Lags lags;
  lags.now_millis = now_millis();
  lags.warn_before = *parse_duration(warn_before_);
  const std::optional<config::Settings> configured = kafka_.configuration();
  const std::filesystem::path journal = journal_or_configured(configured);
  if (!journal.empty()) {
    if (const auto reader = recorder::JournalReader::open(journal, {}); !reader)
      throw StartupError(recorder::why_unopened(journal, reader.error()));
    auto backlog = journal_backlog(journal, kPublisher);
    if (!backlog)
      throw StartupError(fmt::format("journal:{}: {}", journal.string(), describe(backlog.error())));
    lags.publisher = std::move(*backlog);
  }
  std::optional<RemoteError> away;
  if (journal_.empty() || kafka_.has_brokers(configured)) {
    const kafka::Settings settings = kafka_.settings();
    try {
      kafka::Cluster cluster(settings, kafka_.timeout());
      lags.groups = look_at_groups(cluster, groups_);
    } catch (const RemoteError& error) {
      away = error;  // what the journal says is worth knowing just then
    }
  }
  if (form_ == OutputForm::json)
    fmt::print("{}", as_json(lags));
  else
    fmt::print("{}", as_text(lags, Paint(colour_, stdout)));
  if (away) throw RemoteError(*away);
  if (tell_unknown(lags.groups)) return kFound;
  return command_->count("--max") != 0 && largest(lags) > max_ ? kFound : kClean;
}

}  // namespace segue::cli
