#include "cli/kafka_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/named_configuration.hpp"
#include "exchange/error.hpp"

namespace segue::cli {
namespace {

constexpr double kLongestTimeout = 3600;  // seconds

std::string check_property(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (equals == 0 || equals == std::string::npos) return "write NAME=VALUE, not " + text;
  if (name == "bootstrap.servers" || name == "metadata.broker.list" || name == "group.id")
    return name + " follows from the command";
  return {};
}

}  // namespace

std::vector<std::string> split_brokers(std::string_view text) {
  std::vector<std::string> brokers;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) brokers.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return brokers;
}

void KafkaOptions::add_to(CLI::App& command) {
  command.add_option("-c,--config", config_, "Configuration that says where records are")
      ->envname("SEGUE_CONFIG")
      ->type_name("FILE")
      ->capture_default_str();
  const std::string group = "Kafka";
  command
      .add_option("--property", properties_,
                  "NAME=VALUE of librdkafka, on top of the configuration; may be given again")
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_property, "NAME=VALUE"))
      ->group(group);
  command.add_option("--timeout", timeout_seconds_, "How long to wait for an answer, in seconds")
      ->check(CLI::Range(0.1, kLongestTimeout))
      ->capture_default_str()
      ->group(group);
}

void KafkaOptions::add_with_brokers_to(CLI::App& command) {
  add_to(command);
  command
      .add_option("--brokers", brokers_, "host:port,...; default: recorder.kafka.brokers")
      ->envname("SEGUE_BROKERS")
      ->group("Kafka");
}

std::optional<config::Settings> KafkaOptions::configuration() const {
  std::error_code error;
  if (config_ == kDefaultConfig && !std::filesystem::exists(config_, error)) return std::nullopt;
  return load_named_configuration(config_);
}

kafka::Settings KafkaOptions::with_properties(kafka::Settings settings) const {
  for (const std::string& property : properties_) {
    const std::size_t equals = property.find('=');
    settings.properties.insert_or_assign(property.substr(0, equals), property.substr(equals + 1));
  }
  return settings;
}

kafka::Settings KafkaOptions::settings_for(std::vector<std::string> brokers) const {
  std::optional<config::Settings> configured = configuration();
  kafka::Settings settings =
      configured && configured->kafka ? std::move(*configured->kafka) : kafka::Settings{};
  settings.brokers = std::move(brokers);
  return with_properties(std::move(settings));
}

kafka::Settings KafkaOptions::settings() const {
  if (!brokers_.empty()) return settings_for(split_brokers(brokers_));
  std::optional<config::Settings> configured = configuration();
  if (!configured || !configured->kafka)
    throw StartupError(fmt::format(
        "no brokers: give --brokers host:port,..., or a configuration with recorder.kafka by -c ({} "
        "{})",
        config_, configured ? "has none" : "is not there"));
  return with_properties(std::move(*configured->kafka));
}

std::chrono::milliseconds KafkaOptions::timeout() const {
  return std::chrono::milliseconds(static_cast<std::int64_t>(timeout_seconds_ * 1000));
}

}  // namespace segue::cli
