#include "cli/archive/archiver_metrics.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <system_error>
#include <utility>

#include "exchange/error.hpp"

namespace segue::cli {

std::string archiver_metrics(const warehouse::ArchiveTally& tally) {
  const struct {
    const char* name;
    const char* about;
    std::uint64_t value;
  } counters[] = {
      {"segue_archiver_claims_total", "Claims that were made.", tally.claims},
      {"segue_archiver_rows_total", "Rows in their files.", tally.rows},
      {"segue_archiver_repaired_total", "Claims of others that were finished.", tally.repaired},
      {"segue_archiver_lost_offsets_total",
       "Offsets that their source no longer had when they were to be archived.", tally.lost},
      {"segue_archiver_untold_total",
       "Claims that the manifest topic was not told of in time, and never will be.", tally.untold},
  };
  std::string text;
  for (const auto& [name, about, value] : counters)
    text += fmt::format("# HELP {} {}\n# TYPE {} counter\n{} {}\n", name, about, name, name, value);
  return text;
}

ArchiverMetricsFile::ArchiverMetricsFile(std::filesystem::path path) : path_(std::move(path)) {
  replace({});
}

void ArchiverMetricsFile::replace(const warehouse::ArchiveTally& tally) const {
  // Collectors take what ends with .prom; several archivers may be told the same name.
  const std::filesystem::path making = fmt::format("{}.{}", path_.string(), ::getpid());
  errno = 0;
  std::ofstream file(making, std::ios::binary | std::ios::trunc);
  file << archiver_metrics(tally);
  file.close();
  std::error_code error(file ? 0 : errno, std::generic_category());
  if (!error) std::filesystem::rename(making, path_, error);
  if (!error) return;
  std::error_code ignored;
  std::filesystem::remove(making, ignored);
  throw StartupError(
      fmt::format("--metrics {}: cannot be written: {}", path_.string(), error.message()));
}

void ArchiverMetricsFile::write(const warehouse::ArchiveTally& tally) noexcept {
  try {
    replace(tally);
    failed_ = false;
  } catch (const std::exception& error) {
    if (!std::exchange(failed_, true)) fmt::print(stderr, "seguectl: {}\n", error.what());
  }
}

}  // namespace segue::cli
