#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cli/kafka_options.hpp"
#include "kafka/settings.hpp"
#include "recorder/settings.hpp"

namespace segue::cli {

// A topic and how to reach it.
struct KafkaSource {
  kafka::Settings settings;
  std::string topic;
  std::chrono::milliseconds timeout;  // for every answer
};

// Where exchanges are read from. Text forms: journal:DIR | kafka://BROKERS/TOPIC.
struct Source {
  std::filesystem::path journal;     // folder; with `kafka` only where the account key may lie
  std::optional<KafkaSource> kafka;  // then the records come from here
  recorder::KeySettings keys;        // of the configuration, where one was read

  std::string name() const;  // as it may be written
};

// `text` when there is one; else what the configuration says: the topic of recorder.kafka, or the
// journal. A journal that is named needs no configuration: then one is read only when it was named,
// too. Throws StartupError with one clear line for what is no source.
Source resolve_source(const std::optional<std::string>& text, const KafkaOptions& options);

}  // namespace segue::cli
