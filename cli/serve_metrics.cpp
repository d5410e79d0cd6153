#include "cli/serve_metrics.hpp"

#include <optional>

#include "cli/archiver_process.hpp"
#include "cli/publisher_state.hpp"
#include "compare/live.hpp"
#include "gateway/metrics.hpp"
#include "recorder/journal/journal.hpp"
#include "recorder/publisher/publisher.hpp"

namespace segue::cli {
namespace {

using prometheus::MetricType;
using recorder::RecorderCounters;

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

void write_journal(const recorder::JournalStatus& status, gateway::MetricsWriter& out) {
  const gateway::MetricsWriter::Plain rows[] = {
      {MetricType::Counter, "segue_journal_frames_total", "Frames committed to the journal.",
       status.frames},
      {MetricType::Counter, "segue_journal_appended_bytes_total", "Bytes committed to the journal.",
       status.bytes},
      {MetricType::Gauge, "segue_journal_bytes", "Bytes of all runs on disk.",
       status.bytes_on_disk},
      {MetricType::Gauge, "segue_journal_segments", "Segments of this run.", status.segments},
      {MetricType::Counter, "segue_journal_append_stalls_total",
       "Appends that the keeper came too late for.", status.stalls},
      {MetricType::Counter, "segue_journal_full_total", "Appends that found no room.",
       status.refused},
      {MetricType::Counter, "segue_journal_overwritten_total", "Frames overwritten by the ring.",
       status.overwritten_frames},
      {MetricType::Counter, "segue_journal_removed_runs_total", "Dead runs removed to make room.",
       status.removed_runs},
      {MetricType::Counter, "segue_journal_syncs_total", "Group syncs for durability: disk.",
       status.syncs},
      {MetricType::Counter, "segue_journal_sync_failures_total",
       "Syncs that failed; the frames of that segment are never called synced.",
       status.sync_failures},
      {MetricType::Counter, "segue_journal_recovered_intents_total",
       "Exchanges found INTERRUPTED at the start.", status.recovered_intents},
  };
  out.plain(rows);
  out.family(MetricType::Gauge, "segue_journal_pages_info",
             "How the journal treats its pages in memory.");
  out.value(1, {{"mode", status.pages == recorder::SegmentPages::warm ? "warm" : "lean"}});
}

void write_recorders(const std::vector<const recorder::Recorder*>& recorders,
                     const std::optional<recorder::PublisherStatus>& published,
                     gateway::MetricsWriter& out) {
  const auto sum = [&](recorder::Counter RecorderCounters::* field) {
    std::uint64_t total = 0;
    for (const recorder::Recorder* recorder : recorders)
      total += (recorder->counters().*field).value();
    return number(total);
  };
  out.family(MetricType::Counter, "segue_record_exchanges_total",
             "Exchanges by what became of their record.");
  out.value(sum(&RecorderCounters::exchanges), {{"sink", "journal"}, {"result", "recorded"}});
  out.value(sum(&RecorderCounters::dropped_exchanges),
            {{"sink", "journal"}, {"result", "dropped"}});
  out.value(sum(&RecorderCounters::refused), {{"sink", "journal"}, {"result", "refused"}});
  if (published)
    out.value(number(published->published_records), {{"sink", "kafka"}, {"result", "published"}});
  out.family(MetricType::Counter, "segue_journal_dropped_total",
             "What went unrecorded because the journal was full.");
  out.value(sum(&RecorderCounters::dropped_exchanges), {{"reason", "exchange"}});
  out.value(sum(&RecorderCounters::dropped_intents), {{"reason", "intent"}});
  out.value(sum(&RecorderCounters::dropped_refusals), {{"reason", "refusal"}});
  out.value(sum(&RecorderCounters::dropped_finishes), {{"reason", "finish"}});
  out.value(sum(&RecorderCounters::without_bodies), {{"reason", "bodies"}});
  out.family(MetricType::Counter, "segue_record_cut_bodies_total",
             "Exchanges whose bodies were cut to fit a frame.");
  out.value(sum(&RecorderCounters::cut_bodies));
  out.family(MetricType::Counter, "segue_record_redacted_total", "Values redacted.");
  out.value(sum(&RecorderCounters::redacted));
  out.family(MetricType::Counter, "segue_record_blocked_total",
             "Times an exchange waited for the journal.");
  out.value(sum(&RecorderCounters::blocked));
}

void write_publisher(const recorder::PublisherStatus& status, gateway::MetricsWriter& out) {
  using State = recorder::PublisherStatus::State;
  out.family(MetricType::Gauge, "segue_publish_state", "1 for the state the publisher is in.");
  for (const State state : {State::connecting, State::publishing, State::waiting, State::halted})
    out.value(state == status.state ? 1 : 0, {{"state", std::string(name_of(state))}});
  const gateway::MetricsWriter::Plain rows[] = {
      {MetricType::Counter, "segue_publish_bytes_total", "Bytes of values that Kafka acknowledged.",
       status.published_bytes},
      {MetricType::Counter, "segue_publish_redelivered_total",
       "Records sent again after a failure or another process's end.", status.redelivered_records},
      {MetricType::Counter, "segue_publish_cut_bodies_total",
       "Records whose bodies were cut to fit the topic.", status.cut_bodies},
      {MetricType::Counter, "segue_publish_unkeyed_total",
       "Records without an account, keyed by exchange.", status.unkeyed_records},
      {MetricType::Counter, "segue_publish_spread_total",
       "Records of hot accounts, keyed by bucket.", status.spread_records},
      {MetricType::Counter, "segue_publish_lost_frames_total",
       "Frames overwritten or damaged before they were published.", status.lost_frames},
      {MetricType::Gauge, "segue_publish_unreadable_runs",
       "Dead processes' runs that could not be sealed or read; tried again.",
       status.unreadable_runs},
      {MetricType::Gauge, "segue_publish_queued_records",
       "Records sent and not yet acknowledged.", status.queued_records},
      {MetricType::Gauge, "segue_publish_lag_records",
       "Records in the journal that Kafka has not acknowledged.", status.lag.records},
      {MetricType::Gauge, "segue_publish_lag_bytes", "Bytes of those records, about.",
       status.lag.bytes},
  };
  out.plain(rows);
  out.family(MetricType::Gauge, "segue_publish_lag_seconds", "Age of the oldest of those records.");
  out.value(static_cast<double>(status.lag.oldest_ns) / 1e9);
  out.family(MetricType::Gauge, "segue_publish_partition_skew",
             "Records of the fullest partition over the mean, of late.");
  out.value(status.partition_skew);
  out.family(MetricType::Counter, "segue_publish_errors_total", "Failures by kind.");
  for (const auto& [kind, count] : status.errors) out.value(number(count), {{"kind", kind}});
}

void write_comparison(const compare::LiveComparison::Status& status, gateway::MetricsWriter& out) {
  out.family(MetricType::Counter, "segue_comparisons_total",
             "Pairs of primary and shadow that were compared, by what was known of noise then.");
  for (const auto& [route, result, count] : status.counts)
    out.value(number(count), {{"route", route}, {"result", std::string(result)}});
  out.family(MetricType::Gauge, "segue_comparison_findings",
             "Differences that are no noise, by field and kind.");
  for (const auto& [route, count] : status.findings) out.value(number(count), {{"route", route}});
  out.family(MetricType::Counter, "segue_comparisons_dropped_total",
             "Exchanges that found no pair before they had to go, and frames of any kind that were "
             "overwritten before they were read.");
  out.value(number(status.gave_up), {{"reason", "unpaired"}});
  out.value(number(status.overwritten), {{"reason", "overwritten"}});
  out.family(MetricType::Gauge, "segue_comparisons_waiting", "Exchanges that wait for their pair.");
  out.value(number(status.waiting));
}

void write_archiver(const ArchiverProcess::Status& status, gateway::MetricsWriter& out) {
  out.family(MetricType::Gauge, "segue_archiver_up", "Whether the archiver beside runs.");
  out.value(status.up ? 1 : 0);
  out.family(MetricType::Counter, "segue_archiver_restarts_total",
             "Times it was started again after it had ended.");
  out.value(number(status.restarts));
}

}  // namespace

std::string serve_metrics(gateway::Gateway& gateway, const recorder::Journal& journal,
                          const recorder::Publisher* publisher,
                          const compare::LiveComparison* comparison,
                          const ArchiverProcess* archiver, std::string_view config_version) {
  gateway::MetricsWriter out;
  out.family(MetricType::Gauge, "segue_build_info", "What runs.");
  out.value(1, {{"version", SEGUE_VERSION}});
  out.family(MetricType::Gauge, "segue_config_info", "The routing that is served.");
  out.value(1, {{"version", std::string(config_version)}});
  gateway::write_gateway_metrics(gateway, out);
  const auto published =
      publisher != nullptr ? std::optional(publisher->status()) : std::nullopt;
  write_recorders(gateway.recorders(), published, out);
  write_journal(journal.status(), out);
  if (published) write_publisher(*published, out);
  if (comparison != nullptr) write_comparison(comparison->status(), out);
  if (archiver != nullptr) write_archiver(archiver->status(), out);
  const std::string text = gateway::exposition(out.take());
  return archiver != nullptr ? text + archiver->metrics() : text;
}

}  // namespace segue::cli
