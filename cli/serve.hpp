#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/configuration.hpp"
#include "config/load.hpp"
#include "gateway/listening/listening_sockets.hpp"

namespace segue::cli {

class ArchiverProcess;
class Signals;
class Supervisor;

// `segue serve -c FILE`: runs the gateway until SIGTERM or SIGINT, or until another process has taken
// over, then drains. The composition root: starts journal, cores and listeners, and stops them in
// reverse. On standard error it says "listening NAME ADDRESS" for each listener and then "ready". A
// second signal ends the drain. With --archive an archiver runs beside it, see ArchiverProcess.
class ServeCommand {
 public:
  explicit ServeCommand(CLI::App& program);
  bool chosen() const { return command_->parsed(); }
  // Exit code 0 after a drain; throws StartupError when it cannot start.
  int run();

 private:
  // What serves around a run, and outlives it.
  struct Surroundings {
    const Supervisor& supervisor;
    const Signals& signals;
    ArchiverProcess* archiver;  // null: none is asked for
  };
  // When it returns the journal is sealed.
  int serve(const config::LoadResult& loaded, std::vector<gateway::InheritedSocket> inherited,
            const Surroundings& around) const;

  CLI::App* command_;
  std::string configuration_ = kDefaultConfiguration;
  bool take_over_ = false;
  bool archive_ = false;
};

}  // namespace segue::cli
