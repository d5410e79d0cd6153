#include "cli/query/statement_watch.hpp"

#include "cli/interruption.hpp"

namespace segue::cli {

StatementWatch::StatementWatch(warehouse::Engine& engine)
    : engine_(engine), progress_("asking"), thread_([this](const std::stop_token& stop) {
        while (!stop.stop_requested() && wait_a_while() != Woken::interrupt) draw();
        // The statement may not have begun: once is not enough.
        for (; interrupted() && !stop.stop_requested(); wait_a_while()) engine_.interrupt();
      }) {}

StatementWatch::~StatementWatch() = default;

void StatementWatch::rows_come() {
  const std::lock_guard lock(drawing_);
  rows_came_ = true;
  progress_.wipe();
}

void StatementWatch::draw() {
  const std::lock_guard lock(drawing_);
  if (rows_came_ || !progress_.due()) return;
  if (const auto share = engine_.progress()) progress_.share(*share);
}

}  // namespace segue::cli
