#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/archive/upkeep_options.hpp"

namespace segue::cli {

// `seguectl forget --account ID [ARCHIVE]`: takes an account out of all files.
class ForgetCommand {
 public:
  explicit ForgetCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, RemoteError.
  int run();

 private:
  CLI::App* command_;
  UpkeepOptions options_;
  std::vector<std::string> accounts_;
  std::vector<std::string> keys_;
};

}  // namespace segue::cli
