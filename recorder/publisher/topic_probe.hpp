#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "recorder/publisher/wake.hpp"

namespace segue::recorder {

// What a topic's configuration says of it.
struct TopicAnswer {
  // known: `max_message_bytes` is set; missing: there is no such topic; untold: the cluster answers
  // but does not say (no right to describe, or too old for the question).
  enum class Kind { known, missing, untold };
  Kind kind = Kind::untold;
  std::size_t max_message_bytes = 0;
};

// Asks the cluster for the configuration of topics (DescribeConfigs) without waiting for it. An
// answer also shows that a broker is there and lets us in. `handle` and `wake` must outlive it; it
// rings `wake` when the answer is here. One thread.
class TopicProbe {
 public:
  TopicProbe(rd_kafka_t& handle, std::vector<std::string> topics, Wake& wake);

  // Asks once more, unless a question is open. librdkafka waits for a broker for as long as
  // kPatience before it gives up; then answer() asks again by itself.
  void ask();
  static constexpr std::chrono::seconds kPatience{30};

  // One for each topic, in their order, once. nullopt: nothing as yet.
  std::optional<std::vector<TopicAnswer>> answer();

 private:
  struct DestroyQueue {
    void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }
  };

  std::vector<TopicAnswer> read(const rd_kafka_event_t& event) const;

  rd_kafka_t& handle_;
  const std::vector<std::string> topics_;
  std::unique_ptr<rd_kafka_queue_t, DestroyQueue> answers_;
  bool asked_ = false;
};

}  // namespace segue::recorder
