#include "cli/program.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <utility>

#include "exchange/error.hpp"

namespace segue::cli {

Program::Program(const std::string& name, const std::string& description)
    : app_(description, name), name_(name) {
  app_.require_subcommand(1);
  app_.set_version_flag("--version", fmt::format("{} {}", name, SEGUE_VERSION));
  app_.get_formatter()->column_width(34);
}

void Program::on(CLI::App& app, std::function<int()> command) {
  app.callback([this, command = std::move(command)] { chosen_ = command; });
}

int Program::run(int argc, char** argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app_.exit(error, std::cout, std::cerr) == 0 ? kClean : kFailed;
  }
  return run_chosen();
}

int Program::run_chosen() {
  try {
    const int code = chosen_();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "{}: cannot write to standard output\n", name_);
  } catch (const StartupError& error) {
    fmt::print(stderr, "{}: {}\n", name_, error.what());
  }
  return kFailed;
}

}  // namespace segue::cli
