#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace segue::cli {

// `segue serve -c FILE`: runs the gateway until SIGTERM or SIGINT, or until another process has taken
// over, then drains. The composition root: starts journal, cores and listeners, and stops them in
// reverse. On standard error it says "listening NAME ADDRESS" for each listener and then "ready". A
// second signal ends the drain.
class ServeCommand {
 public:
  explicit ServeCommand(CLI::App& program);
  bool chosen() const { return command_->parsed(); }
  // Exit code 0 after a drain; throws StartupError when it cannot start.
  int run();

 private:
  CLI::App* command_;
  std::string configuration_;
  bool take_over_ = false;
};

}  // namespace segue::cli
