#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/archive/upkeep_options.hpp"

namespace segue::cli {

// `seguectl retention --keep 90d [ARCHIVE]`: takes old days away.
class RetentionCommand {
 public:
  explicit RetentionCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, RemoteError.
  int run();

 private:
  CLI::App* command_;
  UpkeepOptions options_;
  std::string keep_;
};

}  // namespace segue::cli
