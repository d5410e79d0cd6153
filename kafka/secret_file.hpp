#pragma once

#include <filesystem>
#include <string>

namespace segue::kafka {

// The first line of a file that holds a password, without its end. Throws StartupError with one
// line when it cannot be read.
std::string read_secret(const std::filesystem::path& path);

// Throws StartupError with one line when the file cannot be opened for reading.
void check_readable(const std::filesystem::path& path);

}  // namespace segue::kafka
