#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "kafka/cluster.hpp"

namespace segue::kafka {

// A configuration entry and which level it comes from.
struct ConfigValue {
  enum class From : std::uint8_t { topic, broker, standard };
  std::string value;
  From from = From::standard;
};
using ConfigValues = std::map<std::string, ConfigValue>;

struct NewTopic {
  std::string name;
  int partitions = 1;
  int replication = -1;  // -1: the broker's default
  std::map<std::string, std::string> config;
};

// What whoever runs Kafka does to topics. Every call waits at most the cluster's timeout and
// throws RemoteError. One thread; the cluster must outlive it.
class Admin {
 public:
  explicit Admin(Cluster& cluster) : cluster_(cluster) {}

  // Effective values, secrets left out.
  ConfigValues topic_config(const std::string& topic);
  ConfigValues broker_config(std::int32_t broker);

  // Returns when it is there with its leaders.
  void create(const NewTopic& topic);
  // A partition that is there cannot go; `total` is how many there are then.
  void grow(const std::string& topic, std::size_t total);
  // Changes these entries of a topic and keeps its others. (The one call that librdkafka 2.0.2 has
  // replaces all: the topic's own entries are read first; an entry that somebody else changes in
  // between is put back.)
  void change(const std::string& topic, const std::map<std::string, std::string>& entries);

 private:
  void wait_for_leaders(const std::string& topic);

  Cluster& cluster_;
};

}  // namespace segue::kafka
