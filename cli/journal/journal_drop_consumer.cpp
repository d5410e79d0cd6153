#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/exit_code.hpp"
#include "cli/figures.hpp"
#include "cli/journal/journal_commands.hpp"
#include "cli/journal/journal_look.hpp"
#include "exchange/error.hpp"
#include "recorder/journal/consumers.hpp"

namespace segue::cli {
namespace {

// Whose gateway would go on to keep everything for it.
void refuse_configured(const JournalPlace& place, const JournalLook& look,
                       const std::string& name) {
  for (const RunLook& run : look.runs) {
    if (run.state != RunLook::State::runs) continue;
    if (std::ranges::find(run.configured, name) == run.configured.end()) continue;
    throw StartupError(fmt::format(
        "{}: the gateway of run {} is configured for '{}': take it out of its configuration "
        "(recorder.journal.consumers, recorder.kafka or archive, or --archive) and restart it",
        place.name(), run.run, name));
  }
  const auto& configured = place.configured();
  if (configured && std::ranges::find(*configured, name) != configured->end())
    throw StartupError(fmt::format(
        "{}: '{}' is configured: take it out of recorder.journal.consumers, recorder.kafka or "
        "archive first",
        place.name(), name));
}

}  // namespace

JournalDropConsumerCommand::JournalDropConsumerCommand(CLI::App& journal)
    : command_(journal.add_subcommand("drop-consumer",
                                      "Keep nothing any more for a consumer that registered "
                                      "itself; without --yes only says what that is")) {
  command_->add_option("NAME", name_, "As `journal status` shows it")->required();
  place_.add_to(*command_);
  command_->add_flag("--yes", yes_, "Do it");
}

bool JournalDropConsumerCommand::chosen() const { return command_->parsed(); }

int JournalDropConsumerCommand::run() {
  place_.resolve();
  const JournalLook look = look_at_journal(place_);
  const auto found = std::ranges::find(look.consumers, name_, &ConsumerLook::name);
  if (found == look.consumers.end())
    throw StartupError(
        fmt::format("{}: no consumer is called '{}'; see `seguectl journal status`", place_.name(),
                    name_));
  refuse_configured(place_, look, name_);
  if (found->runs)
    throw StartupError(fmt::format("{}: a process of '{}' runs; end it first", place_.name(),
                                   name_));
  fmt::print(stderr, "seguectl: {}: {} records that '{}' has not read {} be overwritten\n",
             place_.name(), grouped(found->records()), name_, yes_ ? "may" : "would");
  if (!yes_) {
    fmt::print(stderr, "seguectl: nothing was changed; --yes does it\n");
    return kFound;
  }
  if (const auto dropped = recorder::drop_consumer(place_.folder(), name_); !dropped)
    throw StartupError(fmt::format("{}: {}", place_.name(), describe(dropped.error())));
  fmt::print(stderr, "seguectl: done\n");
  return kClean;
}

}  // namespace segue::cli
