#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "kafka/settings.hpp"
#include "recorder/journal/consumer.hpp"
#include "recorder/promise.hpp"

namespace segue::recorder {

class Journal;

// Name of the publisher among the journal's consumers: its cursor file is publisher.json.
inline constexpr const char* kPublisherConsumer = "publisher";

// The publisher at one moment; any thread may ask for a copy.
struct PublisherStatus {
  // connecting: no broker was reached yet; waiting: something failed, it tries again with back-off;
  // halted: only a person can help (incompatible schema, impossible SASL mechanism, fatal
  // property): it looks again at a slow interval only where the cause can go away by itself.
  enum class State : std::uint8_t { connecting, publishing, waiting, halted };
  State state = State::connecting;
  std::string reason;                     // one line for a person; empty when publishing
  std::uint64_t published_records = 0;    // acknowledged
  std::uint64_t published_bytes = 0;      // of values, acknowledged
  std::uint64_t redelivered_records = 0;  // sent again after a failure or another process's end
  std::uint64_t cut_bodies = 0;           // records cut to fit the topic
  std::uint64_t unkeyed_records = 0;      // without an account: keyed by exchange id
  std::uint64_t spread_records = 0;       // with a hot key's bucket
  std::uint64_t lost_frames = 0;          // overwritten or damaged before they were read
  std::uint64_t unreadable_runs = 0;      // of dead processes, that wait until they can be read
  std::map<std::string, std::uint64_t> errors;  // by kind: "connect", "authentication",
                                                // "authorization", "unknown_topic", "too_large",
                                                // "registry", "schema", "fatal", "other"
  double partition_skew = 0;  // most loaded partition over the mean, of late; 0: unknown
  ConsumerLag lag;
  std::uint64_t queued_records = 0;  // given to librdkafka, not acknowledged
};

// How long the publisher waits for what; for tests to shorten.
struct PublisherTimings {
  std::chrono::milliseconds first_retry{100};  // doubles up to the longest, with jitter
  std::chrono::milliseconds longest_retry{10'000};
  std::chrono::milliseconds first_authentication_retry{1'000};  // brokers may lock an account
  std::chrono::milliseconds longest_authentication_retry{60'000};
  std::chrono::milliseconds look_again{30'000};  // halted by the schema registry
  std::chrono::milliseconds shortest_idle{10};   // between looks into a journal with nothing new
  std::chrono::milliseconds longest_idle{50};
  std::chrono::milliseconds store_interval{20};     // of the cursor, so that a crash resends little
  std::chrono::milliseconds sync_interval{1'000};   // of its file to the disk
  std::chrono::milliseconds topic_patience{2'000};  // for a topic that the cluster may just make
  std::chrono::milliseconds limit_patience{
      5'000};  // for what a topic takes, once a broker is there
  std::chrono::milliseconds registry_patience{2'000};  // for each answer of the schema registry
};

struct PublisherOptions {
  // Gets one line, without its end, when the state or the kind of its reason changes; called by the
  // publisher's thread. None: a line on standard error.
  std::function<void(const std::string&)> log;
  PublisherTimings timings;
};

// Publishes the journal to Kafka from a thread of its own: idempotent, acks=all, keyed by account,
// in the journal's order for each key. Starting never waits for Kafka. Nothing is lost and the
// gateway is never held up while the journal has room: see docs/kafka.md.
class Publisher {
 public:
  // Throws StartupError for what can never work: a property librdkafka refuses, an unreadable file.
  // `journal` must outlive it.
  Publisher(kafka::Settings settings, Journal& journal, PublisherOptions options = {});
  // Stops at once; what is not acknowledged stays in the journal.
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Gives each lane's frames of this run their promise: acknowledged by Kafka. Before start().
  Promise& acknowledged(unsigned lane);

  void start();
  // After the last append: publishes what is left, for at most `patience`, then stores the cursor
  // synced and ends the thread.
  void finish(std::chrono::milliseconds patience);

  PublisherStatus status() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::recorder
