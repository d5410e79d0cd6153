#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kafka/schema_registry.hpp"
#include "kafka/settings.hpp"
#include "recorder/journal/consumer.hpp"
#include "recorder/publisher/backoff.hpp"
#include "recorder/publisher/failure.hpp"
#include "recorder/publisher/flight.hpp"
#include "recorder/publisher/outbox.hpp"
#include "recorder/publisher/producer.hpp"
#include "recorder/publisher/publisher.hpp"
#include "recorder/publisher/skew.hpp"
#include "recorder/publisher/status_board.hpp"
#include "recorder/publisher/topic_limits.hpp"
#include "recorder/publisher/topic_probe.hpp"
#include "recorder/publisher/wake.hpp"

namespace segue::recorder {

// How the loop is told to end; set by other threads, who ring the Wake then.
struct Ending {
  // drain: publish what is left, until `drain_until`; now: stop.
  enum class Mode : std::uint8_t { none, drain, now };
  std::atomic<std::chrono::steady_clock::rep> drain_until{0};  // of the steady clock
  std::atomic<Mode> mode{Mode::none};
};

// What the publisher's thread does: begin() reaches Kafka, publish() moves frames until something
// fails, recover() throws the producer away, goes back behind the cursor and waits; so on until
// it is to end. Made anywhere, then used by one thread. What it is given must outlive it.
class PublishingLoop {
 public:
  // Records and bytes of values given to librdkafka and not acknowledged; beyond, the journal
  // keeps.
  static constexpr std::size_t kMaxQueuedRecords = 10'000;
  static constexpr std::uint64_t kMaxQueuedBytes = 32 << 20;
  // Frames that are read between two looks at what Kafka says.
  static constexpr unsigned kBurst = 512;

  // Throws StartupError for settings that can never work.
  PublishingLoop(const kafka::Settings& settings, const PublisherTimings& timings,
                 StatusBoard& status, Wake& wake, const Ending& ending);

  void run(JournalConsumer& journal);

 private:
  using Clock = std::chrono::steady_clock;

  // The life of one producer.
  std::optional<Failure> begin();
  std::optional<Failure> register_schemas();
  std::optional<Failure> open(std::size_t batch_bytes);
  std::optional<Failure> reach_topics();
  std::optional<Failure> missing_topic(const std::vector<TopicAnswer>& answers) const;
  std::optional<Failure> heed_refusal();
  void look_at_probe();
  std::optional<Failure> publish();
  void recover(Failure failure);
  void give_up_producer(Failure& failure);
  void pause(std::chrono::milliseconds for_so_long);
  bool over() const noexcept;

  // Kafka's side.
  std::optional<Failure> collect();
  void acknowledged(const DeliveryReport& report);
  Failure refused(const DeliveryReport& report);
  std::optional<Failure> heard(const ClientError& error);
  void broker_trouble(const ClientError& error);
  void cured();
  std::string destination() const;

  // The journal's side.
  std::optional<Failure> read_when_due();
  std::optional<Failure> read();
  void nothing_found();
  void keep_up();
  void store(JournalConsumer::Sync sync);

  const kafka::Settings& settings_;
  const PublisherTimings timings_;
  StatusBoard& status_;
  Wake& wake_;
  const Ending& ending_;
  JournalConsumer* journal_ = nullptr;

  Flights flights_;
  TopicLimits limits_;
  Outbox outbox_;
  std::vector<PartitionSkew> skew_;
  Backoff backoff_;
  Backoff authentication_backoff_;
  std::optional<kafka::SchemaRegistry> registry_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<TopicProbe> probe_;

  struct Refusal {
    std::uint32_t topic;
    std::size_t limit;  // that the refused record obeyed
  };
  std::optional<Refusal> refusal_;
  std::string broker_trouble_;  // of the last broker that could not be reached

  std::optional<ConsumedFrame> held_;  // was read, but there was no room for it
  enum class Position : std::uint8_t { behind, no_room, caught_up } position_ = Position::behind;
  unsigned empty_looks_ = 0;  // in a row, since the end was asked for
  bool hopeless_ = false;     // only a person can help: no use in waiting for the end
  bool moved_ = false;        // something was acknowledged since the cursor was stored
  bool unsynced_ = false;     // and since it was synced
  std::chrono::milliseconds idle_;
  Clock::time_point next_look_{};
  Clock::time_point next_store_{};
  Clock::time_point next_sync_{};
  Clock::time_point next_show_{};
};

}  // namespace segue::recorder
