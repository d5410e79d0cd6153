#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>

namespace segue::cli {

// What every program of this project answers with.
enum ExitCode : int {
  kClean = 0,
  kFound = 1,        // what was asked about: invalid, a failed test, a difference, a loss
  kFailed = 2,       // could not do it: usage, unreadable input
  kRemote = 3,       // the other side failed
  kInterrupted = 130,
};

// A program: its commands, and which of them was asked for.
class Program {
 public:
  // `name` as in "segue"; --version prints it with the version.
  Program(const std::string& name, const std::string& description);

  CLI::App& root() noexcept { return app_; }

  // Makes run() call `command` when the user asked for `app`; its result is the exit code.
  void on(CLI::App& app, std::function<int()> command);

  // Parses and runs. Usage errors and StartupErrors are one line or the usage on standard error,
  // and kFailed.
  int run(int argc, char** argv);

 private:
  int run_chosen();

  CLI::App app_;
  std::string name_;
  std::function<int()> chosen_;
};

}  // namespace segue::cli
