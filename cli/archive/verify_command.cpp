#include "cli/archive/verify_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "cli/archive/upkeep_run.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"
#include "cli/source.hpp"
#include "runtime/clock.hpp"
#include "warehouse/archive/journal_records.hpp"
#include "warehouse/archive/topic_records.hpp"
#include "warehouse/upkeep/verification.hpp"

namespace segue::cli {
namespace {

using warehouse::Finding;
using warehouse::VerificationOptions;
using warehouse::VerificationReport;

void tell_text(const VerificationReport& report) {
  for (const Finding& finding : report.findings)
    write_out(fmt::format("{:<10} {}: {}\n", name_of(finding.kind), finding.where, finding.what));
  write_out(fmt::format("{}, {}, {}, {}, {}\n", count_text(report.chains, "chain"),
                        count_text(report.claims, "claim"), count_text(report.files, "file"),
                        count_text(report.rows, "row"), bytes_text(report.bytes)));
  const auto tell = [](std::uint64_t count, std::string_view noun, std::string_view what) {
    if (count != 0) write_out(fmt::format("{} {}\n", count_text(count, noun), what));
  };
  tell(report.removed, "row", "left out at compaction: sent twice");
  tell(report.forgotten, "row", "forgotten");
  tell(report.lost, "record", "lost before they could be archived");
  tell(report.open, "claim", "being archived now");
  tell(report.leftovers, "file", "that dead writers left; `seguectl compact --yes` removes them");
  tell(report.waiting, "record", "in the source not archived yet");
}

void tell_json(const VerificationReport& report) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.key("findings");
  json.begin_array();
  for (const Finding& finding : report.findings) {
    json.begin_object();
    json.member("kind", name_of(finding.kind));
    json.member("where", finding.where);
    json.member("what", finding.what);
    json.end_object();
  }
  json.end_array();
  json.member("chains", report.chains);
  json.member("claims", report.claims);
  json.member("files", report.files);
  json.member("rows", report.rows);
  json.member("bytes", report.bytes);
  json.member("removed", report.removed);
  json.member("forgotten", report.forgotten);
  json.member("lost", report.lost);
  json.member("open", report.open);
  json.member("leftovers", report.leftovers);
  json.member("waiting", report.waiting);
  json.end_object();
  write_out(text + "\n");
}

// A source to ask, which does not notice.
std::unique_ptr<warehouse::RecordSource> open_source(const Source& source,
                                                     const warehouse::Archive& archive) {
  if (!source.kafka)
    return std::make_unique<warehouse::JournalRecords>(
        source.journal, [](const std::string& line) { fmt::print(stderr, "seguectl: {}\n", line); },
        warehouse::JournalRecords::Role::onlooker);
  warehouse::TopicReading reading{.settings = source.kafka->settings};
  reading.topic = source.kafka->topic;
  reading.timeout = source.kafka->timeout;
  reading.share = warehouse::TopicReading::Share::all;
  return std::make_unique<warehouse::TopicRecords>(std::move(reading), archive);
}

}  // namespace

VerifyCommand::VerifyCommand(CLI::App& program)
    : command_(program.add_subcommand("verify",
                                      "Counts what an archive holds against what it should")) {
  options_.add_to(*command_, UpkeepOptions::Does::compares);
  command_->add_option("--source", source_,
                       "journal:DIR or kafka://BROKERS/TOPIC: what it has is counted, too")
      ->type_name("SOURCE");
  auto* const quick =
      command_->add_flag("--quick", quick_, "Does not read files whole: sizes and rows, no hashes");
  command_->add_flag("--deep", deep_, "Looks at every row's place, too")->excludes(quick);
  command_->add_flag("--strict", strict_, "What the source had lost counts as a finding, too");
}

bool VerifyCommand::chosen() const { return command_->parsed(); }

int VerifyCommand::run() {
  std::optional<Source> named;
  if (source_) named = resolve_source(source_, options_.kafka(), SourceKinds::recorded);
  UpkeepRun work(options_, "verifying");
  const auto source = named ? open_source(*named, work.archive()) : nullptr;
  VerificationOptions options;
  if (quick_) options.hashes = VerificationOptions::Hashes::skip;
  if (deep_) options.rows = VerificationOptions::Rows::each;
  return work.run([&] {
    warehouse::Verification verification(work.archive(), work.bench(), options,
                                         runtime::unix_micros_now(), work.watch());
    verification.run();
    if (source) verification.compare_with(*source);
    const VerificationReport& report = verification.report();
    options_.form() == OutputForm::json ? tell_json(report) : tell_text(report);
    const bool found = std::ranges::any_of(report.findings, [this](const Finding& finding) {
      return strict_ || finding.kind != Finding::Kind::lost;
    });
    return found ? kFound : kClean;
  });
}

}  // namespace segue::cli
