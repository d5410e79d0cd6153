#pragma once

#include <filesystem>
#include <string>

#include "warehouse/archive/archiver.hpp"

namespace segue::cli {

// What an archiver did since it began, in Prometheus' text format.
std::string archiver_metrics(const warehouse::ArchiveTally& tally);

// The same in a file, for node_exporter's textfile collector or for the gateway beside: always whole,
// for it is replaced by a rename. One thread.
class ArchiverMetricsFile {
 public:
  // Writes the first of them. Throws StartupError when that cannot be done.
  explicit ArchiverMetricsFile(std::filesystem::path path);

  // What cannot be written is said once, on standard error, until it can be again.
  void write(const warehouse::ArchiveTally& tally) noexcept;

 private:
  void replace(const warehouse::ArchiveTally& tally) const;

  const std::filesystem::path path_;
  bool failed_ = false;
};

}  // namespace segue::cli
