#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace segue::cli {

// Which journal a command is about: `journal:DIR`, or the configuration's.
class JournalPlace {
 public:
  // Adds the positional SOURCE and -c.
  void add_to(CLI::App& command);
  // Throws StartupError: no journal is named, or there is none.
  void resolve();

  const std::filesystem::path& folder() const noexcept { return folder_; }
  std::string name() const { return "journal:" + folder_.string(); }
  // Consumers of recorder.journal; nullopt: no configuration was read.
  const std::optional<std::vector<std::string>>& configured() const noexcept {
    return configured_;
  }

 private:
  std::optional<std::string> source_;
  std::string configuration_ = "segue.yaml";
  std::filesystem::path folder_;
  std::optional<std::vector<std::string>> configured_;
};

}  // namespace segue::cli
