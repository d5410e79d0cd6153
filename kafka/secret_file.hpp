#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace segue::kafka {

// `named_by` is the key or the option that names the file, for whoever is told that it cannot be
// read: "recorder.kafka.tls.ca", "--ca".

// The first line of a file that holds a password, without its end. Throws StartupError with one
// line when it cannot be read.
std::string read_secret(const std::filesystem::path& path, std::string_view named_by);

// Throws StartupError with one line when the file cannot be opened for reading.
void check_readable(const std::filesystem::path& path, std::string_view named_by);

}  // namespace segue::kafka
