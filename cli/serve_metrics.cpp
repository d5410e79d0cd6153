#include "cli/serve_metrics.hpp"

#include "gateway/metrics.hpp"
#include "recorder/journal/journal.hpp"

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
      {MetricType::Counter, "segue_journal_recovered_intents_total",
       "Exchanges found INTERRUPTED at the start.", status.recovered_intents},
  };
  out.plain(rows);
  out.family(MetricType::Gauge, "segue_journal_pages_info",
             "How the journal treats its pages in memory.");
  out.value(1, {{"mode", status.pages == recorder::SegmentPages::warm ? "warm" : "lean"}});
}

void write_recorders(const std::vector<const recorder::Recorder*>& recorders,
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
  out.family(MetricType::Counter, "segue_journal_dropped_total",
             "What went unrecorded because the journal was full.");
  out.value(sum(&RecorderCounters::dropped_exchanges), {{"reason", "exchange"}});
  out.value(sum(&RecorderCounters::dropped_intents), {{"reason", "intent"}});
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

}  // namespace

std::string serve_metrics(gateway::Gateway& gateway, const recorder::Journal& journal,
                          std::string_view config_version) {
  gateway::MetricsWriter out;
  out.family(MetricType::Gauge, "segue_build_info", "What runs.");
  out.value(1, {{"version", SEGUE_VERSION}});
  out.family(MetricType::Gauge, "segue_config_info", "The routing that is served.");
  out.value(1, {{"version", std::string(config_version)}});
  gateway::write_gateway_metrics(gateway, out);
  write_recorders(gateway.recorders(), out);
  write_journal(journal.status(), out);
  return gateway::exposition(out.take());
}

}  // namespace segue::cli
