#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/archive/upkeep_options.hpp"

namespace segue::cli {

// `seguectl verify [ARCHIVE]`: counts what is there against what should be.
class VerifyCommand {
 public:
  explicit VerifyCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, RemoteError.
  int run();

 private:
  CLI::App* command_;
  UpkeepOptions options_;
  std::optional<std::string> source_;
  bool quick_ = false;
  bool deep_ = false;
  bool strict_ = false;
};

}  // namespace segue::cli
