#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.hpp"
#include "kafka/settings.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

inline constexpr const char* kDefaultConfig = "segue.yaml";

// How commands reach Kafka: what the configuration says under recorder.kafka, and on top of that
// --property and --timeout.
class KafkaOptions {
 public:
  // Adds -c, --property and --timeout.
  void add_to(CLI::App& command);
  // The same and --brokers, for commands whose SOURCE does not name them.
  void add_with_brokers_to(CLI::App& command);

  // The configuration; nullopt: none was asked for, and there is none at the usual place. Throws
  // StartupError when it has errors, or is not there although it was named.
  std::optional<config::Settings> configuration() const;
  // recorder.kafka with the options on top. Throws StartupError when nothing names brokers.
  kafka::Settings settings() const;
  // Whether --brokers or the configuration says where Kafka is.
  bool has_brokers(const std::optional<config::Settings>& configured) const {
    return !brokers_.empty() || (configured && configured->kafka);
  }
  // The same for brokers that were named another way.
  kafka::Settings settings_for(std::vector<std::string> brokers) const;
  std::chrono::milliseconds timeout() const;
  // Whether -c says something else than the usual place; then configuration() is never nullopt.
  bool names_configuration() const { return config_ != kDefaultConfig; }
  const std::string& configuration_path() const { return config_; }

 private:
  kafka::Settings with_properties(kafka::Settings settings) const;

  std::string config_ = kDefaultConfig;
  std::string brokers_;
  std::vector<std::string> properties_;
  double timeout_seconds_ = 10;
};

// "a:1,b:2" apart; empty parts are left out.
std::vector<std::string> split_brokers(std::string_view text);

}  // namespace segue::cli
