#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/configuration.hpp"
#include "exchange/remote_error.hpp"
#include "kafka/settings.hpp"

namespace segue::kafka {

struct BrokerPlace {
  std::int32_t id = 0;
  std::string host;
  int port = 0;
};

struct PartitionPlace {
  std::int32_t id = 0;
  std::int32_t leader = -1;  // -1: none
  std::vector<std::int32_t> replicas;
  std::vector<std::int32_t> in_sync;
};

struct TopicPlace {
  std::string name;
  std::vector<PartitionPlace> partitions;  // by id
};

// Offsets that a partition holds: low <= offset < high.
struct OffsetRange {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
using OffsetRanges = std::map<std::int32_t, OffsetRange>;  // by partition

// Whether an error passes without anybody's doing: a topic that was just made has no leader yet, a
// leader moves, a connection breaks.
bool is_passing(rd_kafka_resp_err_t code) noexcept;

// A client of a cluster for commands: no group, changes nothing, and explains failures in a line.
// Everything waits at most `timeout` and throws RemoteError then. One thread.
class Cluster {
 public:
  // `properties` of librdkafka come on top of the settings. Throws StartupError for what can never
  // work; connects to nobody yet.
  Cluster(Settings settings, std::chrono::milliseconds timeout,
          const std::map<std::string, std::string>& properties = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Waits until a broker answers. A refused authentication ends the wait at once, and so does a
  // time in which every broker is down.
  void reach();

  std::vector<BrokerPlace> brokers();
  std::int32_t controller();  // -1: unknown
  std::vector<std::string> topics();
  // nullopt: no such topic. Never creates one.
  std::optional<TopicPlace> find_topic(const std::string& topic);
  // The same, but a topic that is not there is a RemoteError.
  TopicPlace topic(const std::string& topic);
  OffsetRanges offsets(const TopicPlace& topic);
  // Per partition the first offset whose timestamp is at least that; its end where there is none.
  std::map<std::int32_t, std::int64_t> offsets_at(const TopicPlace& topic,
                                                  std::int64_t unix_millis);

  // What went wrong while `doing` something ("reading topic x"), as a line for a person.
  RemoteError failure(std::string_view doing, rd_kafka_resp_err_t code,
                      std::string_view detail = {}) const;
  // Hears what the client complains about; throws when that cannot get better.
  void check();

  rd_kafka_t* handle() const noexcept { return handle_.get(); }
  std::chrono::milliseconds timeout() const noexcept { return timeout_; }
  const Settings& settings() const noexcept { return settings_; }
  std::string brokers_text() const;

 private:
  struct Complaint {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string text;
  };
  static void hear(rd_kafka_t* handle, int code, const char* text, void* self);
  int timeout_millis() const noexcept { return static_cast<int>(timeout_.count()); }

  Settings settings_;
  std::chrono::milliseconds timeout_;
  Complaint last_;                       // of a connection
  std::optional<Complaint> final_;       // authentication, TLS: trying again does not help
  bool all_down_ = false;
  bool reached_ = false;
  Handle handle_;  // last: its end may still call hear()
};

}  // namespace segue::kafka
