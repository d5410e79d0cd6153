#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "kafka/cluster.hpp"
#include "kafka/topic_record.hpp"

namespace segue::kafka {

// Reads ranges of partitions of one topic, one range after the other. A range that begins where the
// last one of its partition ended costs nothing to begin: what is fetched ahead is kept. Memory is
// bounded whatever the topic holds: kPrefetchBytes in all are fetched ahead, and at least
// kLeastPrefetchBytes of a partition. Only committed records of transactions. One thread.
class PartitionRanges {
 public:
  static constexpr std::size_t kPrefetchBytes = 64 << 20;
  static constexpr std::size_t kLeastPrefetchBytes = 2 << 20;  // of a partition

  // `partitions`: how many are likely to be read. Connects to nobody yet. Throws StartupError.
  PartitionRanges(const Settings& settings, std::chrono::milliseconds timeout, std::string topic,
                  std::size_t partitions);
  ~PartitionRanges();
  PartitionRanges(const PartitionRanges&) = delete;
  PartitionRanges& operator=(const PartitionRanges&) = delete;

  // From now on next() gives the records `from` to before `to`, all of which the partition has, but
  // for holes. Throws RemoteError.
  void start(std::int32_t partition, std::int64_t from, std::int64_t to);
  // Null: the range is at its end. Valid until the next call of anything here. Waits at most the
  // timeout for each; RemoteError then, and when the partition has not got the offset any more.
  const TopicRecord* next();
  // Fetches nothing ahead of this partition any more.
  void stop(std::int32_t partition);

  // What the partition holds now, of transactions what is decided. Throws RemoteError.
  //
  // Each end is asked for by itself: librdkafka's one question for both (2.0.2) waits without a limit
  // for a broker that goes meanwhile.
  OffsetRange offsets(std::int32_t partition);

  // The same client, for questions.
  Cluster& cluster() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::kafka
