#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/kafka_options.hpp"
#include "cli/source.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/archive/journal_records.hpp"
#include "warehouse/archive/topic_records.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl archive [SOURCE]`: moves what was recorded into an archive, each record once; as a
// service until SIGTERM or SIGINT, which let the claim at hand be finished (a second one ends the
// process where it is, and leaves nothing half done), or with --once what waits now. A service that
// is told to end is through; with --once it is not, and the exit code says so.
class ArchiveCommand {
 public:
  explicit ArchiveCommand(CLI::App& program);
  bool chosen() const;
  // The exit code. Throws StartupError, StorageError, RemoteError.
  int run();

 private:
  struct Plan;

  Plan plan() const;
  warehouse::ArchiverOptions options(const Plan& plan) const;
  void serve(const Plan& plan) const;
  void archive(const Plan& plan) const;
  warehouse::Archive open_archive(const Plan& plan, warehouse::ObjectStore& store,
                                  warehouse::JournalRecords* journal) const;
  warehouse::TopicReading reading(const Plan& plan) const;
  std::vector<warehouse::Chain> given_up(const warehouse::Archive& archive,
                                         warehouse::RecordSource& source, const Plan& plan) const;

  CLI::App* command_;
  KafkaOptions kafka_;
  std::optional<std::string> source_;
  std::optional<std::string> to_;
  std::filesystem::path staging_;
  std::optional<std::uint64_t> flush_rows_;
  std::optional<std::chrono::milliseconds> flush_every_;
  std::string group_ = warehouse::kArchiverGroup;
  std::optional<std::string> manifest_;
  std::filesystem::path metrics_;
  bool once_ = false;
  bool new_epoch_ = false;
  bool give_up_ = false;
  std::optional<warehouse::JournalRecords::Switch> switch_;
};

}  // namespace segue::cli
