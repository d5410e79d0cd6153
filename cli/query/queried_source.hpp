#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "cli/query/archived_twins.hpp"
#include "cli/query/tail_records.hpp"
#include "cli/reading_options.hpp"
#include "cli/source.hpp"
#include "recorder/settings.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/archived_listing.hpp"
#include "warehouse/sql/engine.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::cli {

// What statements are about: an archive, what its source has behind it, or one of both.
struct QueriedParts {
  std::optional<ArchiveSource> archive{};
  std::optional<Source> tail{};  // a journal or a topic
  // Where keys of account ids are.
  std::filesystem::path journal{};
  recorder::KeySettings keys{};
  std::int64_t since = 0;  // Unix microseconds: nothing older is seen; 0: all
};

// Those parts as views of an engine (warehouse/sql/views.hpp). Used from one thread; the engine
// asks from others.
class QueriedSource {
 public:
  // `reading` opens what is sealed in the tail; it outlives this. Throws StartupError, RemoteError.
  QueriedSource(QueriedParts parts, ReadingOptions& reading);
  ~QueriedSource();
  QueriedSource(const QueriedSource&) = delete;
  QueriedSource& operator=(const QueriedSource&) = delete;

  warehouse::Engine& engine() noexcept { return engine_; }
  // Looks which files there are now: statements that follow see those, and the tail behind them. To
  // be called before each statement.
  void refresh();
  // Statements read by getvariable('accounts') how an account may be on record: by its name, or by
  // its hash under the keys that are here. Throws StartupError, SqlError.
  void set_accounts(const std::string& account);

 private:
  class Scan;
  std::unique_ptr<TailRecords> open_tail();
  void open_archive();
  warehouse::FinishedOutcomes finishes_of_tail();

  const QueriedParts parts_;
  ReadingOptions& reading_;
  std::mutex scanning_;  // several scans of one statement
  std::atomic<bool> told_{false};  // of damage, in this statement
  std::unique_ptr<warehouse::ObjectStore> store_;
  std::optional<warehouse::Archive> archive_;  // none: there is none yet
  std::shared_ptr<const warehouse::ArchivedListing> listing_;
  std::shared_ptr<ArchivedTwins> twins_;  // of the tail behind that listing
  warehouse::Engine engine_;
  std::unique_ptr<warehouse::Views> views_;
};

}  // namespace segue::cli
