#include "cli/archive/compact_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/archive/upkeep_run.hpp"
#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"
#include "runtime/clock.hpp"
#include "warehouse/upkeep/compaction.hpp"

namespace segue::cli {
namespace {

using warehouse::CompactionReport;
using warehouse::DayCompaction;

std::string check_day(const std::string& text) {
  return warehouse::parse_day(text) ? std::string{} : "write a day as 2026-11-20, not " + text;
}

std::string check_duration(const std::string& text) {
  return parse_duration(text) ? std::string{} : "write a duration as 24h, 90m or 0s, not " + text;
}

std::string day_line(const DayCompaction& day, bool done) {
  std::string line = fmt::format("{}  {}, {}, {}", warehouse::text_of(day.day), count_text(day.inputs, "file"),
                                 count_text(day.rows, "row"), bytes_text(day.input_bytes));
  if (done)
    line += fmt::format(" -> {}, {}", count_text(day.outputs, "file"), bytes_text(day.output_bytes));
  if (day.removed != 0) line += fmt::format("; {} sent twice", count_text(day.removed, "row"));
  return line + "\n";
}

void tell_text(const CompactionReport& report, bool done) {
  for (const DayCompaction& day : report.days) write_out(day_line(day, done));
  if (report.raw_files != 0)
    write_out(fmt::format("raw files whose grace period is over{}: {}, {}\n",
                          done ? ", removed" : "", count_text(report.raw_files, "file"),
                          bytes_text(report.raw_bytes)));
  if (report.leftovers != 0)
    write_out(fmt::format("{} that dead writers left{}\n", count_text(report.leftovers, "file"),
                          done ? ", removed" : ""));
  if (report.watermark)
    write_out(fmt::format("days before {} {} compacted\n", warehouse::text_of(*report.watermark),
                          done ? "are" : "would be"));
  else
    write_out("there is nothing to compact\n");
}

void tell_json(const CompactionReport& report, bool done) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("mode", done ? "applied" : "dry_run");
  json.key("watermark");
  report.watermark ? json.text(warehouse::text_of(*report.watermark)) : json.null();
  json.key("days");
  json.begin_array();
  for (const DayCompaction& day : report.days) {
    json.begin_object();
    json.member("dt", warehouse::text_of(day.day));
    json.member("inputs", day.inputs);
    json.member("input_bytes", day.input_bytes);
    json.member("rows", day.rows);
    if (done) {
      json.member("removed", day.removed);
      json.member("outputs", day.outputs);
      json.member("output_bytes", day.output_bytes);
    }
    json.end_object();
  }
  json.end_array();
  json.member("raw_files", report.raw_files);
  json.member("raw_bytes", report.raw_bytes);
  json.member("leftovers", report.leftovers);
  json.key("blocked");
  report.blocked.empty() ? json.null() : json.text(report.blocked);
  json.key("warnings");
  write_texts(json, report.warnings);
  json.end_object();
  write_out(text + "\n");
}

Undone undone_of(const CompactionReport& plan, const std::optional<warehouse::Day>& watermark) {
  const bool nothing = plan.days.empty() && plan.raw_files == 0 && plan.leftovers == 0 &&
                       plan.watermark == watermark;
  return nothing ? Undone::nothing : Undone::something;
}

}  // namespace

CompactCommand::CompactCommand(CLI::App& program)
    : command_(program.add_subcommand(
          "compact", "Makes few large files of an archive's closed days; without --yes only says "
                     "which")) {
  options_.add_to(*command_, UpkeepOptions::Does::changes);
  command_->add_option("--before", before_, "Take the days before this one; default: yesterday, UTC")
      ->check(CLI::Validator(check_day, "DAY"));
  command_->add_option("--grace", grace_, "How long raw files stay once their day is compacted")
      ->check(CLI::Validator(check_duration, "DURATION"))
      ->capture_default_str();
  command_->add_option("--target-bytes", target_bytes_, "Size of the files that are made")
      ->check(CLI::Range(std::uint64_t{1} << 16, std::uint64_t{1} << 40))
      ->transform(CLI::AsSizeValue(false))
      ->default_str("512MiB");
}

bool CompactCommand::chosen() const { return command_->parsed(); }

int CompactCommand::run() {
  UpkeepRun work(options_, "compacting");
  const auto yesterday = today() - std::chrono::days(1);
  warehouse::CompactionOptions options;
  options.before = before_.empty() ? yesterday : *warehouse::parse_day(before_);
  options.target_bytes = target_bytes_;
  options.grace = std::chrono::duration_cast<std::chrono::seconds>(*parse_duration(grace_));
  if (options.before > today())
    throw StartupError(fmt::format("--before {}: today is not over yet: at most {}", before_,
                                   warehouse::text_of(today())));
  return work.run([&] {
    warehouse::Compactor compactor(work.archive(), work.bench(), options,
                                   runtime::unix_micros_now(), work.watch());
    const bool done = options_.yes();
    const CompactionReport report = done ? compactor.run() : compactor.plan();
    options_.form() == OutputForm::json ? tell_json(report, done) : tell_text(report, done);
    return tell_what_stays(report.warnings, report.blocked,
                           done ? Undone::nothing : undone_of(report, work.archive().watermark()));
  });
}

}  // namespace segue::cli
