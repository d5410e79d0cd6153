#pragma once

#include <mutex>
#include <thread>

#include "cli/progress.hpp"
#include "warehouse/sql/engine.hpp"

namespace segue::cli {

// While a statement runs: Ctrl-C ends it (listen_for_interrupts() was called), and on a terminal a
// bar says how far it is, until its first rows come. A thread of its own.
class StatementWatch {
 public:
  explicit StatementWatch(warehouse::Engine& engine);
  ~StatementWatch();
  StatementWatch(const StatementWatch&) = delete;
  StatementWatch& operator=(const StatementWatch&) = delete;

  // Wipes the bar, for good.
  void rows_come();

 private:
  void draw();

  warehouse::Engine& engine_;
  std::mutex drawing_;
  bool rows_came_ = false;
  Progress progress_;
  std::jthread thread_;  // last: ends before what it uses
};

}  // namespace segue::cli
