#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "recorder/journal/file_handle.hpp"

namespace segue::recorder {

// What stands beside a journal's segments: small files that several processes write.

// Whether a file that is replaced is on the disk when the call returns, its folder included: then
// a power cut leaves the old one or the new one. Otherwise a power cut may leave an older one, or
// none that can be read.
enum class Sync : std::uint8_t { no, yes };

// Atomically. One writer of a file at a time.
Result<void> replace_file(const std::filesystem::path& path, std::string_view text, Sync sync);

// Waits until it is this process's turn; the lock goes with the handle, or with the process.
// `doing` is static text, of the failure.
Result<FileHandle> lock_folder(const std::filesystem::path& folder, const char* doing);

}  // namespace segue::recorder
