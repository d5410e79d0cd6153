#include "cli/archive/retention_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/archive/upkeep_run.hpp"
#include "cli/duration.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"
#include "warehouse/upkeep/retention.hpp"

namespace segue::cli {
namespace {

using warehouse::RetentionReport;

constexpr std::chrono::hours kDay{24};

std::string check_keep(const std::string& text) {
  const auto keep = parse_duration(text);
  return keep && *keep >= kDay && *keep % kDay == keep->zero()
             ? std::string{}
             : "write how many days stay, as 90d, not " + text;
}

void tell_text(const RetentionReport& report, bool done) {
  if (!report.before) {
    write_out("nothing is older than that\n");
    return;
  }
  write_out(fmt::format("before {}: {}, {}, {}, {}\n", warehouse::text_of(*report.before),
                        count_text(report.days, "day"), count_text(report.files, "file"),
                        bytes_text(report.bytes), count_text(report.claims, "claim")));
  write_out(done ? "removed\n" : "would go\n");
}

void tell_json(const RetentionReport& report, bool done) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("mode", done ? "applied" : "dry_run");
  json.key("before");
  report.before ? json.text(warehouse::text_of(*report.before)) : json.null();
  json.member("days", report.days);
  json.member("files", report.files);
  json.member("bytes", report.bytes);
  json.member("claims", report.claims);
  json.key("blocked");
  report.blocked.empty() ? json.null() : json.text(report.blocked);
  json.key("warnings");
  write_texts(json, report.warnings);
  json.end_object();
  write_out(text + "\n");
}

}  // namespace

RetentionCommand::RetentionCommand(CLI::App& program)
    : command_(program.add_subcommand(
          "retention", "Takes an archive's old days away; without --yes only says what goes")) {
  options_.add_to(*command_, UpkeepOptions::Does::changes);
  command_->add_option("--keep", keep_, "How many days stay, today included: 90d")
      ->check(CLI::Validator(check_keep, "DAYS"))
      ->required();
}

bool RetentionCommand::chosen() const { return command_->parsed(); }

int RetentionCommand::run() {
  UpkeepRun work(options_, "removing old days of");
  const auto keep = std::chrono::duration_cast<std::chrono::days>(*parse_duration(keep_));
  return work.run([&] {
    warehouse::Retention retention(work.archive(), today() + std::chrono::days(1) - keep,
                                   work.watch());
    const bool done = options_.yes();
    const RetentionReport report = done ? retention.run() : retention.plan();
    options_.form() == OutputForm::json ? tell_json(report, done) : tell_text(report, done);
    return tell_what_stays(report.warnings, report.blocked,
                           done || !report.before ? Undone::nothing : Undone::something);
  });
}

}  // namespace segue::cli
