#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "cli/colour.hpp"
#include "cli/kafka_options.hpp"
#include "cli/source.hpp"
#include "cli/unsealing.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

enum class OutputForm : std::uint8_t { text, json };

// What the commands that read recorded traffic share: SOURCE, -c, --property, --timeout, --unseal,
// --key, --color.
class ReadingOptions {
 public:
  void add_to(CLI::App& command);
  // Whether a SOURCE was given, and another in its place.
  const std::optional<std::string>& named_source() const { return source_; }
  void name_source(std::string source) { source_ = std::move(source); }
  bool wants_unsealing() const { return unsealing_.wanted(); }
  // Reads the keys, too, when values are to be opened. Throws StartupError.
  Source source();
  // Opens what is sealed in an exchange that is about to be printed, when that was asked for.
  void unseal(v1::Exchange& exchange) { unsealing_.unseal(exchange); }
  // On standard error: how many values stayed closed.
  void tell_closed() const;
  const KafkaOptions& kafka() const { return kafka_; }  // and the configuration
  // For standard output.
  Paint paint() const;

 private:
  std::optional<std::string> source_;
  KafkaOptions kafka_;
  Unsealing unsealing_;
  Colour colour_ = Colour::automatic;
};

void add_output_option(CLI::App& command, OutputForm& form);

}  // namespace segue::cli
