#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/colour.hpp"
#include "cli/kafka_options.hpp"
#include "cli/reading_options.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl lag`: how far readers are behind: the publisher behind the journal, consumer groups
// behind their topics, and whether the offsets of a group that nobody is in are about to expire.
// Exit code 1 when one is further behind than --max.
class LagCommand {
 public:
  explicit LagCommand(CLI::App& program);
  bool chosen() const;
  int run();

 private:
  std::filesystem::path journal_or_configured(
      const std::optional<config::Settings>& configured) const;

  CLI::App* command_;
  KafkaOptions kafka_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
  std::vector<std::string> groups_;
  std::string journal_;
  std::uint64_t max_ = 0;
  std::string warn_before_ = "24h";
};

}  // namespace segue::cli
