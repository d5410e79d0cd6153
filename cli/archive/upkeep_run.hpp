#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/archive/upkeep_options.hpp"
#include "cli/json_writer.hpp"
#include "cli/progress.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace segue::cli {

// An archive that is being looked after: open, with an engine to work with, a bar that says how far
// it is, and an ear for Ctrl-C. One thread.
class UpkeepRun {
 public:
  // `doing`: "compacting". Throws StartupError, StorageError, RemoteError.
  UpkeepRun(const UpkeepOptions& options, std::string doing);

  warehouse::Archive& archive() { return archive_; }
  warehouse::Workbench& bench() { return bench_; }
  warehouse::UpkeepWatch watch();  // outlived by this

  // The exit code of `work`, or of Ctrl-C, which ends the statement that runs; what was done stays.
  int run(const std::function<int()>& work);

 private:
  std::unique_ptr<warehouse::ObjectStore> store_;
  warehouse::Archive archive_;
  warehouse::Workbench bench_;
  Progress progress_;
};

// What --yes would do.
enum class Undone : std::uint8_t { nothing, something };
// Says on standard error what could not be done, lines of a report and one more where it is not empty,
// and what was not done without --yes. The exit code of that.
int tell_what_stays(const std::vector<std::string>& warnings, const std::string& last,
                    Undone undone);
// As an array.
void write_texts(JsonWriter& json, const std::vector<std::string>& texts);

// The UTC day of now.
warehouse::Day today();

// "1.4 GiB".
std::string bytes_text(std::uint64_t bytes);
// "1 file", "1,234 files".
std::string count_text(std::uint64_t count, std::string_view noun);

}  // namespace segue::cli
