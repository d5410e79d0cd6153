#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/colour.hpp"
#include "cli/configuration.hpp"

namespace segue::cli {

enum class RoutesForm : std::uint8_t { text, json, junit };

// `segue routes list`: the effective order, targets, and how many tests end where.
class RoutesListCommand {
 public:
  explicit RoutesListCommand(CLI::App& routes);
  bool chosen() const { return command_->parsed(); }
  int run();  // throws StartupError

 private:
  CLI::App* command_;
  std::string config_ = kDefaultConfiguration;
  RoutesForm form_ = RoutesForm::text;
  Colour colour_ = Colour::automatic;
};

// `segue routes test`: runs `tests:`, and goes on after a failure. Exit code 1 when one fails.
class RoutesTestCommand {
 public:
  explicit RoutesTestCommand(CLI::App& routes);
  bool chosen() const { return command_->parsed(); }
  int run();  // throws StartupError

 private:
  CLI::App* command_;
  std::string config_ = kDefaultConfiguration;
  std::string filter_;  // RE2, looked for in the request line and the route's name
  RoutesForm form_ = RoutesForm::text;
  Colour colour_ = Colour::automatic;
};

// `segue routes explain 'GET /x' -H 'name: value'`: the winner and why, and what was near.
class RoutesExplainCommand {
 public:
  explicit RoutesExplainCommand(CLI::App& routes);
  bool chosen() const { return command_->parsed(); }
  int run();  // throws StartupError

 private:
  CLI::App* command_;
  std::string config_ = kDefaultConfiguration;
  std::string request_;
  std::vector<std::string> headers_;
  RoutesForm form_ = RoutesForm::text;
  Colour colour_ = Colour::automatic;
};

}  // namespace segue::cli
