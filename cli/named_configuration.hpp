#pragma once

#include <string>

#include "config/settings.hpp"

namespace segue::cli {

// The configuration at `path`, for commands that read a few settings from it; its tests are not
// run. Throws StartupError: one line with the first thing that is wrong.
config::Settings load_named_configuration(const std::string& path);

}  // namespace segue::cli
