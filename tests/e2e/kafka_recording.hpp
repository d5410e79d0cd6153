#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/gateway_process.hpp"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {

// A gateway's configuration that publishes to `topic`, with every exchange's id in its answer.
// `kafka`: more keys of recorder.kafka; `journal`: of recorder.journal, instead of 64 MiB.
struct PublishingTo {
  std::string brokers;
  std::string topic;
  std::string kafka{};
  std::string journal = "dir: journal, max_size: 64MiB, segment: 4MiB";
};
ConfigText publishing_config(std::uint16_t backend, const PublishingTo& to);

// A backend that takes a few milliseconds, so that some clients make a steady load of about a
// thousand requests a second instead of all that two cores can do.
ScriptedBackend::Script unhurried_backend(std::string_view body);

// Clients that send GET / one after the other until they are told to stop. Any answer but a whole
// 200 is counted as a failure.
class Load {
 public:
  Load(std::uint16_t port, unsigned clients);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Waits until so many more were answered than at the time of the call.
  void wait_for_more(std::size_t count);
  // Ends the clients; the ids of all that was answered.
  std::set<std::string> finish();
  // What was wrong with the first failed exchange; empty when none did.
  std::string first_failure() const;

 private:
  void send_until_stopped(std::uint16_t port);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::set<std::string> answered_;
  std::string first_failure_;
  std::vector<std::thread> clients_;
};

// Sends `count` requests one after the other; their ids. Every answer must be 200.
std::set<std::string> send_some(const GatewayProcess& gateway, std::size_t count,
                                std::string_view request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n");

// What a topic holds of exchanges, told apart by the header segue-id.
struct Published {
  std::set<std::string> ids;
  // Records that came twice without saying that they may have (segue-redelivery).
  std::size_t silent_repetitions = 0;
};
// As soon as all of `expected` are in the topic; throws TestFailure when that does not happen.
Published wait_until_published(const KafkaTopic& topic, const std::set<std::string>& expected);

// What /readyz says of Kafka.
struct KafkaReadiness {
  int status = 0;  // of the answer
  std::string state;
  std::string reason;
};
KafkaReadiness kafka_readiness(const GatewayProcess& gateway);
// Waits until the publisher is in that state, and checks that /readyz stays 200 meanwhile.
KafkaReadiness wait_for_state(const GatewayProcess& gateway, std::string_view state);

// Lines about Kafka that the gateway has written; call it after the gateway has ended.
std::vector<std::string> kafka_lines(const Process& process);

}  // namespace segue::test
