#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/colour.hpp"
#include "cli/kafka_options.hpp"
#include "cli/reading_options.hpp"
#include "cli/record_search.hpp"
#include "kafka/topic_reader.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl topics peek [TOPIC]`: records with everything Kafka keeps of them: the last ones, or
// the first ones from an offset or a time on.
class TopicsPeekCommand {
 public:
  explicit TopicsPeekCommand(CLI::App& topics);
  bool chosen() const;
  int run();

 private:
  kafka::TopicReadOptions options() const;
  int print_first(kafka::TopicReader& reader, const std::string& topic);
  int print_last(kafka::TopicReader& reader, const std::string& topic);

  CLI::App* command_;
  KafkaOptions kafka_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
  std::string topic_;
  std::vector<std::int32_t> partitions_;
  std::optional<std::int64_t> offset_;
  std::optional<std::int64_t> time_;  // Unix microseconds
  RecordSearch search_;
  std::uint64_t lines_ = 10;
};

// `seguectl topics search [TOPIC]`: records by value, key or header. Exit code 1 when there is none.
class TopicsSearchCommand {
 public:
  explicit TopicsSearchCommand(CLI::App& topics);
  bool chosen() const;
  int run();

 private:
  CLI::App* command_;
  KafkaOptions kafka_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
  std::string topic_;
  std::vector<std::string> headers_;
  std::optional<std::int64_t> since_;  // Unix microseconds
  std::optional<std::int64_t> until_;
  RecordSearch search_;
  std::uint64_t limit_ = 0;  // 0: none
};

}  // namespace segue::cli
