#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/colour.hpp"
#include "config/load.hpp"

namespace segue::cli {

inline constexpr const char* kDefaultConfiguration = "segue.yaml";

// -c FILE (SEGUE_CONFIG), for commands that need a whole configuration.
void add_configuration_option(CLI::App& command, std::string& path);

// Loads `path`, or standard input for "-".
config::LoadResult load_configuration(const std::string& path,
                                      config::Tests tests = config::Tests::run);

// load_configuration() for commands that cannot go on without: prints what is wrong to standard
// error and throws StartupError.
config::LoadResult require_configuration(const std::string& path, Colour colour,
                                         config::Tests tests = config::Tests::run);

}  // namespace segue::cli
