#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "cli/archive/archive_command.hpp"
#include "cli/archive/compact_command.hpp"
#include "cli/archive/forget_command.hpp"
#include "cli/archive/restore_command.hpp"
#include "cli/archive/retention_command.hpp"
#include "cli/archive/verify_command.hpp"
#include "cli/cat.hpp"
#include "cli/compare/compare_command.hpp"
#include "cli/connect_status.hpp"
#include "cli/exit_code.hpp"
#include "cli/help_text.hpp"
#include "cli/interruption.hpp"
#include "cli/journal/journal_commands.hpp"
#include "cli/lag.hpp"
#include "cli/output.hpp"
#include "cli/query/query_command.hpp"
#include "cli/show.hpp"
#include "cli/tail.hpp"
#include "cli/topics.hpp"
#include "cli/topics_records.hpp"
#include "cli/usage_error.hpp"
#include "exchange/remote_error.hpp"

namespace {

using segue::cli::kClean;
using segue::cli::interrupted_code;
using segue::cli::kFailed;
using segue::cli::kInterrupted;
using segue::cli::kRemote;

int parse_and_run(int argc, char** argv) {
  CLI::App program("Asks about recorded traffic, archives it, and looks after both.", "seguectl");
  program.require_subcommand(1);
  segue::cli::say_usage_errors_in_one_line(program);
  segue::cli::say_help_plainly(program);
  program.set_version_flag("--version", SEGUE_VERSION);
  segue::cli::CatCommand cat(program);
  segue::cli::TailCommand tail(program);
  segue::cli::ShowCommand show(program);
  segue::cli::CompareCommand compare(program);
  segue::cli::QueryCommand query(program);
  segue::cli::ArchiveCommand archive(program);
  segue::cli::VerifyCommand verify(program);
  segue::cli::CompactCommand compact(program);
  segue::cli::RetentionCommand retention(program);
  segue::cli::ForgetCommand forget(program);
  segue::cli::RestoreCommand restore(program);
  CLI::App& journal = *program.add_subcommand("journal", "A journal's folder: lanes, consumers, damage");
  journal.require_subcommand(1);
  segue::cli::JournalStatusCommand journal_status(journal);
  segue::cli::JournalVerifyCommand journal_verify(journal);
  segue::cli::JournalDropConsumerCommand drop_consumer(journal);
  CLI::App& topics = *program.add_subcommand("topics", "Topics of Kafka: create, describe, look into");
  topics.require_subcommand(1);
  segue::cli::TopicsEnsureCommand ensure(topics);
  segue::cli::TopicsDescribeCommand describe(topics);
  segue::cli::TopicsPeekCommand peek(topics);
  segue::cli::TopicsSearchCommand search(topics);
  segue::cli::LagCommand lag(program);
  CLI::App& connect = *program.add_subcommand("connect", "Kafka Connect: workers, connectors, tasks");
  connect.require_subcommand(1);
  segue::cli::ConnectStatusCommand connect_status(connect);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kClean : kFailed;
  }
  if (cat.chosen()) return cat.run();
  if (tail.chosen()) return tail.run();
  if (compare.chosen()) return compare.run();
  if (query.chosen()) return query.run();
  if (archive.chosen()) return archive.run();
  if (restore.chosen()) return restore.run();
  if (journal_status.chosen()) return journal_status.run();
  if (journal_verify.chosen()) return journal_verify.run();
  if (drop_consumer.chosen()) return drop_consumer.run();
  if (compact.chosen()) return compact.run();
  if (verify.chosen()) return verify.run();
  if (retention.chosen()) return retention.run();
  if (forget.chosen()) return forget.run();
  if (ensure.chosen()) return ensure.run();
  if (describe.chosen()) return describe.run();
  if (peek.chosen()) return peek.run();
  if (search.chosen()) return search.run();
  if (lag.chosen()) return lag.run();
  if (connect_status.chosen()) return connect_status.run();
  return show.run();
}

// Ctrl-C needs no words: who pressed it knows.
int told_to_end() {
  const int code = interrupted_code();
  if (code != kInterrupted)
    fmt::print(stderr, "seguectl: it was told to end before it was through\n");
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int exit_code = parse_and_run(argc, argv);
    segue::cli::flush_out();  // a full disk shows only when the last of it is written
    return exit_code == kInterrupted ? told_to_end() : exit_code;
  } catch (const segue::cli::Interrupted&) {
    return told_to_end();
  } catch (const segue::RemoteError& error) {
    fmt::print(stderr, "seguectl: {}\n", error.what());
    return kRemote;
  } catch (const std::exception& error) {
    fmt::print(stderr, "seguectl: {}\n", error.what());
    return kFailed;
  }
}
