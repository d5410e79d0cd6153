#include "cli/query/query_command.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include "cli/exit_code.hpp"
#include "cli/filters.hpp"
#include "cli/interruption.hpp"
#include "cli/output.hpp"
#include "cli/query/query_shell.hpp"
#include "cli/query/statement_watch.hpp"
#include "cli/word_option.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

bool is_source(std::string_view text) {
  return text.starts_with("journal:") || text.starts_with("kafka://") ||
         text.starts_with("archive:");
}

bool same_place(const warehouse::ArchiveLocation& a, const warehouse::ArchiveLocation& b) {
  if (a.bucket != b.bucket || a.prefix != b.prefix) return false;
  if (!a.bucket.empty()) return true;
  std::error_code error;
  return a.folder == b.folder || std::filesystem::equivalent(a.folder, b.folder, error);
}

// What the archive of a configuration is made from: that is where its tail is.
Source archived_source(const config::Settings& configured, const KafkaOptions& options) {
  Source source{configured.journal.directory, std::nullopt, configured.keys};
  if (configured.archive.from == warehouse::ArchiveFrom::journal || !configured.kafka)
    return source;
  kafka::Settings settings = options.settings();
  std::string topic = settings.topic;
  source.kafka = KafkaSource{std::move(settings), std::move(topic), options.timeout()};
  return source;
}

void set_parameters(QueriedSource& source, const QueryValues& values) {
  set_variables(source.engine(), values);
  if (const auto account = values.find("account"); account != values.end())
    source.set_accounts(account->second);
}

}  // namespace

QueryCommand::QueryCommand(CLI::App& program)
    : command_(program.add_subcommand("query", "SQL over an archive, a journal or a topic")) {
  command_->add_option("SQL", sql_,
                       "One statement; @NAME a saved one, @ lists them; - reads standard input; "
                       "without it a shell, on a terminal");
  reading_.add_to(*command_);
  add_query_options();
}

void QueryCommand::add_query_options() {
  add_word_option<AnswerForm>(*command_, "-o,--output", form_,
                              {{"table", AnswerForm::table},
                               {"json", AnswerForm::json},
                               {"csv", AnswerForm::csv},
                               {"parquet", AnswerForm::parquet}},
                              "table, json (one object a line), csv, or parquet (with --out); "
                              "default: table")
      ->envname("SEGUE_OUTPUT");
  command_->add_option("--out", path_, "File that the answer is written to")->type_name("FILE");
  command_
      ->add_option("--param", parameters_, "Value that a statement reads by getvariable('NAME')")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  command_->add_option("--queries", queries_, "Folder of saved queries")
      ->envname("SEGUE_QUERIES")
      ->type_name("DIR");
  add_moment_option(*command_, "--since", since_,
                  "24h, 7d, 2026-11-21 or 2026-11-21T09:00:00Z: nothing older is seen, nor read");
  command_->add_flag("--no-tail", no_tail_,
                     "The archive alone, without what its source has behind it");
}

bool QueryCommand::chosen() const { return command_->parsed(); }

QueriedParts QueryCommand::parts() {
  QueriedParts parts;
  parts.since = since_.value_or(0);
  const KafkaOptions& options = reading_.kafka();
  // What is named needs no configuration.
  const bool read = !reading_.named_source() || options.names_configuration();
  const auto configured = read ? options.configuration() : std::nullopt;
  if (!reading_.named_source() && configured && configured->archives) {
    parts.archive = archive_of(*configured);
    parts.journal = configured->journal.directory;
    parts.keys = configured->keys;
  } else {
    Source source = reading_.source();
    parts.journal = source.journal;
    parts.keys = source.keys;
    if (!source.archive) {
      parts.tail = std::move(source);
      return parts;
    }
    parts.archive = source.archive;
  }
  const bool is_configured = configured && configured->archives &&
                             same_place(parts.archive->location, configured->archive.to);
  if (is_configured && !no_tail_) parts.tail = archived_source(*configured, options);
  if (reading_.wants_unsealing())
    throw StartupError("--unseal and --key open what a journal or a topic holds; in an archive's "
                       "columns it stays sealed: see such an exchange by `seguectl show`");
  return parts;
}

std::string QueryCommand::sql_text() const {
  if (sql_ != "-" && !sql_.empty()) return sql_;
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

int QueryCommand::run() {
  if (is_source(sql_) && !reading_.named_source()) reading_.name_source(std::exchange(sql_, {}));
  if (sql_ == "@") {
    write_out(list_of(saved_queries(saved_queries_folder(queries_))));
    return kClean;
  }
  QueryValues values = parse_values(parameters_);
  std::string sql;
  const bool shell = sql_.empty() && ::isatty(STDIN_FILENO) == 1;
  if (sql_.starts_with('@')) {
    const SavedQuery saved = saved_query(saved_queries_folder(queries_), sql_.substr(1));
    values = values_for(saved, values);
    sql = saved.sql;
  } else if (!shell) {
    sql = sql_text();
  }
  if (shell) {
    QueriedSource source(parts(), reading_);
    set_parameters(source, values);
    return QueryShell(source, queries_, form_).run();
  }
  listen_for_interrupts();
  return or_interrupted([&] {
    QueriedSource source(parts(), reading_);
    set_parameters(source, values);
    return answer(source, sql);
  });
}

int QueryCommand::answer(QueriedSource& source, const std::string& sql) {
  try {
    source.refresh();
    StatementWatch watch(source.engine());
    write_answer(source.engine(), sql, form_, path_, [&watch] { watch.rows_come(); });
  } catch (const warehouse::SqlError& error) {
    if (interrupted()) throw;
    flush_out();
    fmt::print(stderr, "seguectl: {}\n", error.what());
    if (!error.place().empty()) fmt::print(stderr, "{}\n", error.place());
    return kFailed;
  }
  reading_.tell_closed();
  return kClean;
}

}  // namespace segue::cli
