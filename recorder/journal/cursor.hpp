#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/small_files.hpp"

namespace segue::recorder {

// How far a consumer of a run has come: per lane, the lane_sequence of the last frame it is done
// with. A lane that is absent stands at 0.
struct Cursor {
  std::map<std::uint32_t, std::uint64_t> lanes;

  std::uint64_t position(std::uint32_t lane) const noexcept;
};

// DIR/<run>/cursors/<consumer>.json: {"format_version":1,"lanes":{"0":17}}. Replaced atomically.
Result<void> store_cursor(const std::filesystem::path& run, const std::string& consumer,
                          const Cursor& cursor, Sync sync = Sync::yes);
// A consumer that never stored one stands at 0 everywhere. Fails when the file is not a cursor.
Result<Cursor> load_cursor(const std::filesystem::path& run, const std::string& consumer);

// Under any other path: what a sealed run holds is kept in the same form.
Result<void> store_cursor_file(const std::filesystem::path& path, const Cursor& cursor,
                               Sync sync = Sync::yes);
Result<Cursor> load_cursor_file(const std::filesystem::path& path);

// Up to where any consumer has come; a file that is no cursor does not count. Fails when the disk
// does, or no descriptor is left.
Result<Cursor> fastest_cursor(const std::filesystem::path& run);

// Up to where every consumer has passed, per lane of `lanes`; a cursor that cannot be read counts
// as 0, for a segment too many is kept rather than one too few.
Cursor slowest_cursor(const std::filesystem::path& run, const std::vector<std::string>& consumers,
                      const std::vector<std::uint32_t>& lanes);

}  // namespace segue::recorder
