#pragma once

#include <string>

#include "cli/colour.hpp"
#include "cli/reading_options.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl connect status URL`: workers, connectors and tasks of Kafka Connect, by its REST API.
// Exit code 1 when a connector or a task has failed, 3 when the API does not answer.
class ConnectStatusCommand {
 public:
  explicit ConnectStatusCommand(CLI::App& connect);
  bool chosen() const;
  // Throws StartupError, RemoteError.
  int run();

 private:
  CLI::App* command_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
  std::string url_;
  std::string ca_;
  std::string user_;
  std::string password_file_;
  double timeout_seconds_ = 10;
  bool trace_ = false;
};

}  // namespace segue::cli
