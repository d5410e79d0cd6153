#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "cli/kafka_options.hpp"
#include "cli/reading_options.hpp"
#include "warehouse/storage/location.hpp"
#include "warehouse/upkeep/workbench.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// What the commands share that look after an archive: which one, where to work, how to answer, and
// whether to do it.
class UpkeepOptions {
 public:
  // compares: the command changes nothing, so there is no --yes; and it may ask Kafka.
  enum class Does : std::uint8_t { compares, changes };
  void add_to(CLI::App& command, Does does);

  // Opens the archive's place. Throws StartupError, StorageError, RemoteError.
  std::unique_ptr<warehouse::ObjectStore> open_store() const;
  warehouse::WorkbenchSettings workbench() const;
  std::optional<config::Settings> configuration() const;
  const KafkaOptions& kafka() const { return kafka_; }

  OutputForm form() const { return form_; }
  bool yes() const { return yes_; }

 private:
  std::optional<std::string> archive_;
  KafkaOptions kafka_;  // of a command that compares; it has the configuration then
  std::optional<std::string> config_ = kDefaultConfig;
  std::filesystem::path staging_;
  OutputForm form_ = OutputForm::text;
  bool yes_ = false;
};

}  // namespace segue::cli
