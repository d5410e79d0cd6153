#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/archive/upkeep_options.hpp"

namespace segue::cli {

// `seguectl compact [ARCHIVE]`: few large files of a closed day's many.
class CompactCommand {
 public:
  explicit CompactCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, RemoteError.
  int run();

 private:
  CLI::App* command_;
  UpkeepOptions options_;
  std::string before_;
  std::string grace_ = "24h";
  std::uint64_t target_bytes_ = 512 << 20;
};

}  // namespace segue::cli
