#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cli/kafka_options.hpp"
#include "kafka/settings.hpp"
#include "recorder/settings.hpp"
#include "warehouse/storage/location.hpp"

namespace segue::cli {

// A topic and how to reach it.
struct KafkaSource {
  kafka::Settings settings;
  std::string topic;
  std::chrono::milliseconds timeout;  // for every answer
};

// An archive and how to reach it.
struct ArchiveSource {
  warehouse::ArchiveLocation location;
  warehouse::S3Settings s3;
};

// Where exchanges are read from. Text forms: journal:DIR | kafka://BROKERS/TOPIC | archive:DIR |
// archive:s3://BUCKET/PREFIX.
struct Source {
  // Folder; with `kafka` or `archive` only where the account key may lie.
  std::filesystem::path journal;
  std::optional<KafkaSource> kafka;  // then the records come from here
  recorder::KeySettings keys;        // of the configuration, where one was read
  std::optional<ArchiveSource> archive{};  // then they come from here

  std::string name() const;  // as it may be written
};

// The archive of the configuration's block `archive`.
ArchiveSource archive_of(const config::Settings& configured);

// Which of these forms a command takes. recorded: a journal or a topic.
enum class SourceKinds : std::uint8_t { any, recorded, topic, archive };

// `text` when there is one; else what the configuration says: the topic of recorder.kafka, or the
// journal; its archive where only archives are taken. A journal that is named needs no
// configuration: then one is read only when it was named, too. Throws StartupError with one clear
// line, which names only forms that the command takes.
Source resolve_source(const std::optional<std::string>& text, const KafkaOptions& options,
                      SourceKinds kinds = SourceKinds::any);

}  // namespace segue::cli
