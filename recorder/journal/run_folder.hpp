#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/file_handle.hpp"
#include "recorder/journal/format.hpp"

namespace segue::recorder {

// Names and locks of a journal folder: DIR/<run>/<lane>/<sequence, 20 digits>.seg

using BootId = std::array<std::uint8_t, 16>;

// Of the running kernel; all zeros when it cannot be read.
const BootId& current_boot();

// "20261121T105436.123456Z-9f86d081": start time and random, so that names sort by time.
std::string make_run_name();
bool is_run_name(std::string_view name) noexcept;
// Of a run that was being made or removed when its process died.
bool is_half_run_name(std::string_view name) noexcept;

std::string segment_file_name(std::uint64_t sequence);
std::filesystem::path segment_path(const std::filesystem::path& run, std::uint32_t lane,
                                   std::uint64_t sequence);

// The header of a segment that is made now.
SegmentHeader make_segment_header(const BootId& boot, std::string_view run, std::uint32_t lane,
                                  std::uint64_t sequence);

// Sorted ascending; empty when the folder is absent. Fail when it cannot be read (no descriptor is
// left, the disk is ill): then nobody knows what is there.
Result<std::vector<std::string>> find_runs(const std::filesystem::path& directory);
Result<std::vector<std::uint32_t>> find_lanes(const std::filesystem::path& run);
Result<std::vector<std::uint64_t>> find_segments(const std::filesystem::path& run,
                                                 std::uint32_t lane);

// The same for whoever only shows what is there: empty also when it cannot be read. Nothing may be
// decided by these.
std::vector<std::string> list_runs(const std::filesystem::path& directory);
std::vector<std::uint64_t> list_segments(const std::filesystem::path& run, std::uint32_t lane);

// Bytes that the segments of a run take. Fails as find_segments() does.
Result<std::uint64_t> run_bytes(const std::filesystem::path& run);

// The lock of a run: an OFD write lock on DIR/<run>/lock, held as long as the object lives and
// never inherited by a program that is executed.
class RunLock {
 public:
  // Fails with EAGAIN when another process holds it; makes the lock file when it is missing.
  static Result<RunLock> take(const std::filesystem::path& run);

 private:
  explicit RunLock(FileHandle file) : file_(std::move(file)) {}
  FileHandle file_;
};

// Whether a process holds the lock of the run; does not take it.
bool run_is_locked(const std::filesystem::path& run);

// A new run folder with its lanes' folders: made under a temporary name, locked, then renamed.
struct NewRun {
  std::string name;
  std::filesystem::path path;
  RunLock lock;
};
Result<NewRun> create_run(const std::filesystem::path& directory, unsigned lanes);

// Removes a run whose lock the caller holds: renamed away first, so that no reader meets half.
Result<void> remove_run(const std::filesystem::path& directory, const std::string& run);

// Removes what processes left that died while they made or removed a run.
void remove_leftovers(const std::filesystem::path& directory);

}  // namespace segue::recorder
