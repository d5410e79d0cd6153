#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/colour.hpp"
#include "cli/kafka_options.hpp"
#include "cli/source.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

enum class OutputForm : std::uint8_t { text, json };

// What the commands that read recorded traffic share: SOURCE, -c, --property, --timeout, --color.
class ReadingOptions {
 public:
  void add_to(CLI::App& command);
  // Throws StartupError.
  Source source() const;
  // For standard output.
  Paint paint() const;

 private:
  std::optional<std::string> source_;
  KafkaOptions kafka_;
  Colour colour_ = Colour::automatic;
};

void add_output_option(CLI::App& command, OutputForm& form);

}  // namespace segue::cli
