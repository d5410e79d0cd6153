#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/colour.hpp"

namespace segue::cli {

// `segue validate [FILE...]`: all errors of each configuration in one run. Exit code 1 when one
// is invalid, 2 when one cannot be read.
class ValidateCommand {
 public:
  explicit ValidateCommand(CLI::App& program);
  bool chosen() const { return command_->parsed(); }
  int run();

 private:
  enum class Form : std::uint8_t { text, json, github };

  CLI::App* command_;
  std::vector<std::string> files_;
  Form form_ = Form::text;
  Colour colour_ = Colour::automatic;
};

}  // namespace segue::cli
