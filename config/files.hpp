#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/error.hpp"

namespace segue::config {

// The whole of a regular file of at most `max_bytes` (one more is read, so that the caller sees
// that it is too long); without a byte order mark.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t max_bytes);

// Existing regular files below `folder` that match `pattern`, sorted. Each part of the pattern
// between slashes may hold *, ? and [...]; a leading dot must be written. `pattern` is relative
// and has no "..".
std::vector<std::filesystem::path> matching_files(const std::filesystem::path& folder,
                                                  const std::filesystem::path& pattern);

// Whether `file`, with symbolic links followed, is below `folder`.
bool is_below(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace segue::config
