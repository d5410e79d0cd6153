#include "cli/archive/forget_command.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/archive/upkeep_run.hpp"
#include "cli/exit_code.hpp"
#include "cli/json_writer.hpp"
#include "cli/output.hpp"
#include "recorder/keyed_hash.hpp"
#include "recorder/redaction/keys.hpp"
#include "warehouse/upkeep/forgetting.hpp"

namespace segue::cli {
namespace {

using warehouse::ForgettingReport;

constexpr const char* kNotReached =
    "not reached by this: the journal (its segments are overwritten in time), Kafka (its retention, "
    "or a tombstone where the topic is compacted), backups, earlier versions of objects where the "
    "bucket keeps them";

// Everything that the accounts may be called on record: as given, and hashed under each key.
std::vector<std::string> names_on_record(const std::vector<std::string>& accounts,
                                         const std::vector<std::string>& key_files,
                                         const std::optional<config::Settings>& configured) {
  std::vector<std::string> names = accounts;
  const auto add_hashes = [&](const recorder::AccountKey& key) {
    recorder::KeyedHash hash(key);
    for (const std::string& account : accounts) names.emplace_back(hash.text(account));
  };
  for (const std::string& file : key_files)
    add_hashes({recorder::read_key_file("account", file).bytes});
  if (!configured) return names;
  std::error_code error;
  const auto& journal = configured->journal.directory;
  if (std::filesystem::exists(journal / recorder::kAccountKeyFile, error))
    add_hashes(recorder::load_account_key(journal));
  if (!configured->keys.account.empty())
    add_hashes({recorder::read_key_file("account", configured->keys.account).bytes});
  return names;
}

std::uint64_t total_rows(const ForgettingReport& report) {
  std::uint64_t rows = 0;
  for (const auto& [day, forgotten] : report.days) rows += forgotten.rows;
  return rows;
}

std::string unfinished_text(const ForgettingReport& report) {
  if (report.unfinished.empty()) return {};
  return fmt::format("{} left alone, for its archiver has not finished it: run this again ({} and "
                     "so on)",
                     count_text(report.unfinished.size(), "file"), report.unfinished.front());
}

void tell_text(const ForgettingReport& report, bool done) {
  for (const auto& [day, forgotten] : report.days)
    write_out(fmt::format("{}  {} in {}\n", warehouse::text_of(day), count_text(forgotten.rows, "row"),
                          count_text(forgotten.files, "file")));
  write_out(fmt::format("{} {}\n", count_text(total_rows(report), "row"),
                        done ? "forgotten" : "would go"));
  write_out(fmt::format("{}\n", kNotReached));
}

void tell_json(const ForgettingReport& report, bool done) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.member("format_version", std::int64_t{1});
  json.member("mode", done ? "applied" : "dry_run");
  json.member("rows", total_rows(report));
  json.key("days");
  json.begin_array();
  for (const auto& [day, forgotten] : report.days) {
    json.begin_object();
    json.member("dt", warehouse::text_of(day));
    json.member("files", forgotten.files);
    json.member("rows", forgotten.rows);
    json.end_object();
  }
  json.end_array();
  json.key("unfinished");
  write_texts(json, report.unfinished);
  json.key("warnings");
  write_texts(json, report.warnings);
  json.member("not_reached", kNotReached);
  json.end_object();
  write_out(text + "\n");
}

}  // namespace

ForgetCommand::ForgetCommand(CLI::App& program)
    : command_(program.add_subcommand("forget",
                                      "Takes all that an account did out of an archive; without "
                                      "--yes only says how much that is")) {
  options_.add_to(*command_, UpkeepOptions::Does::changes);
  command_->add_option("--account", accounts_, "Account id, plain or as it is hashed on record")
      ->allow_extra_args(false)
      ->required()
      ->check([](const std::string& id) {
        return id.empty() ? "it is empty: exchanges without an account belong to none" : "";
      });
  command_->add_option("--key", keys_, "File of an account key: the id's hash is meant, too")
      ->allow_extra_args(false)
      ->type_name("FILE");
}

bool ForgetCommand::chosen() const { return command_->parsed(); }

int ForgetCommand::run() {
  const auto names = names_on_record(accounts_, keys_, options_.configuration());
  UpkeepRun work(options_, "forgetting in");
  return work.run([&] {
    warehouse::Forgetting forgetting(work.archive(), work.bench(), names, work.watch());
    const bool done = options_.yes();
    const ForgettingReport report = done ? forgetting.run() : forgetting.plan();
    options_.form() == OutputForm::json ? tell_json(report, done) : tell_text(report, done);
    return tell_what_stays(report.warnings, unfinished_text(report),
                           done || report.days.empty() ? Undone::nothing : Undone::something);
  });
}

}  // namespace segue::cli
