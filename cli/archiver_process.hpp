#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/settings.hpp"

namespace segue::cli {

class Signals;

// `seguectl archive` as a child of the gateway (`segue serve --archive`): what was recorded becomes
// an archive, in a process of its own that gives way to requests (nice 10, the first to go when
// memory is short) and that ends when the gateway is killed. What it says on standard error and on
// standard output goes to the gateway's standard error. One that ends is started again, after a
// second at first, after ten at last.
//
// The main thread's, but for status() and metrics().
class ArchiverProcess {
 public:
  // Throws StartupError: seguectl is not beside this program, or the configuration came by standard
  // input, which cannot be read twice.
  ArchiverProcess(const std::string& configuration, const config::Settings& settings);
  // Kills what still runs.
  ~ArchiverProcess();
  ArchiverProcess(const ArchiverProcess&) = delete;
  ArchiverProcess& operator=(const ArchiverProcess&) = delete;

  // Where it is to say what it did; before the first start, and before metrics() is asked.
  void keep_metrics_in(std::filesystem::path file) { metrics_ = std::move(file); }
  void start();
  // Now and then: starts it again where it has ended.
  void look_after();
  // Tells it to end, and waits for nothing: another gateway's archiver goes on.
  void dismiss();
  // Once the journal is sealed: ends it, and archives what is left, for so long at most; a signal to
  // end cuts that short. What is not archived then stays in the journal. Nothing where it never was
  // started.
  void finish(const Signals& signals);

  struct Status {
    bool up = false;
    std::uint64_t restarts = 0;
  };
  Status status() const noexcept { return {up_.load(), restarts_.load()}; }
  // What it says that it did, in Prometheus' text format; empty: nothing yet. On any thread.
  std::string metrics() const;

 private:
  using Clock = std::chrono::steady_clock;

  void launch(const std::vector<std::string>& command);
  bool has_ended();
  void say_end(int status) const;
  // Whether it ended by itself in time; killed otherwise.
  bool await_end(const Signals& signals, std::chrono::milliseconds limit);
  void kill_now();

  const std::filesystem::path program_;
  const std::string configuration_;
  const bool from_journal_;
  std::filesystem::path metrics_;
  pid_t child_ = -1;  // none: -1
  bool started_ = false;
  bool dismissed_ = false;
  Clock::time_point launched_at_{};
  Clock::time_point next_start_{};
  std::chrono::milliseconds pause_;
  std::atomic<bool> up_{false};
  std::atomic<std::uint64_t> restarts_{0};
};

}  // namespace segue::cli
