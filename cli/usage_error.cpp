#include "cli/usage_error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace segue::cli {
namespace {

std::string commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string message(const CLI::App* program, const CLI::Error& error) {
  const CLI::App* at = program;
  std::string name = at->get_name();
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    name += " " + at->get_name();
  }
  if (at->get_require_subcommand_min() == 0)
    return fmt::format("{0}: {1}; see `{0} --help`\n", name, error.what());
  const std::vector<std::string> words = program->remaining(true);
  if (words.empty())
    return fmt::format("{}: which command? There are {}\n", name, commands_of(*at));
  return fmt::format("{}: there is no command '{}'; there are {}\n", name, words.front(),
                     commands_of(*at));
}

}  // namespace

void say_usage_errors_in_one_line(CLI::App& program) { program.failure_message(message); }

}  // namespace segue::cli
