#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/colour.hpp"
#include "cli/kafka_options.hpp"
#include "cli/reading_options.hpp"
#include "cli/topics_plan.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

// `seguectl topics ensure [TOPIC...]`: creates topics, or changes them to what recording needs;
// by default those that the configuration names, and that of the archiver's manifest where it
// archives from Kafka. Without --yes it only says what it would do.
// Exit code: 0 all is well or was done, 1 something is to be done, 2 something of it is refused
// (then nothing is done), 3 Kafka cannot be reached or refuses.
class TopicsEnsureCommand {
 public:
  explicit TopicsEnsureCommand(CLI::App& topics);
  bool chosen() const;
  int run();

 private:
  TopicWishes wishes() const;
  // `manifest`: the topic that the archiver tells of its files.
  TopicWishes wishes_for(const std::string& topic, const std::string& manifest) const;
  std::vector<TopicPlan> plans(const kafka::Settings& settings, kafka::Cluster& cluster,
                               kafka::Admin& admin) const;

  CLI::App* command_;
  KafkaOptions kafka_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
  std::vector<std::string> topics_;
  int partitions_ = TopicWishes::kPartitions;
  int replication_ = 0;
  std::string retention_;
  bool compact_ = false;
  bool accept_reordering_ = false;
  bool yes_ = false;
};

// `seguectl topics describe [TOPIC...]`: brokers, partitions, offsets, configuration, rates, skew
// and schema of topics; by default of those that the configuration names.
class TopicsDescribeCommand {
 public:
  explicit TopicsDescribeCommand(CLI::App& topics);
  bool chosen() const;
  int run();

 private:
  CLI::App* command_;
  KafkaOptions kafka_;
  OutputForm form_ = OutputForm::text;
  Colour colour_ = Colour::automatic;
  std::vector<std::string> topics_;
  std::string over_ = "2s";
};

// The topics that were named, else those of the configuration.
std::vector<std::string> chosen_topics(const std::vector<std::string>& named,
                                       const kafka::Settings& settings);

}  // namespace segue::cli
