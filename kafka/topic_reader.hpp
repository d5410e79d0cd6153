#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kafka/cluster.hpp"
#include "kafka/topic_record.hpp"

namespace segue::kafka {

// Where reading begins, in every partition.
struct StartPosition {
  enum class Kind : std::uint8_t { beginning, end, last, offset, time };
  Kind kind = Kind::beginning;
  std::int64_t value = 0;  // last: how many records; offset; time: Unix milliseconds
};

struct TopicReadOptions {
  std::vector<std::int32_t> partitions{};  // empty: all
  StartPosition start{};
  // as_of_now: nothing behind what the topic held when the reader was made.
  enum class End : std::uint8_t { as_of_now, never } end = End::as_of_now;
};

// Reads a topic without a group, so that nobody's offsets move. Within a partition records come in
// its order; across partitions they are merged by timestamp, as far as what is there allows: a
// record that comes late to its partition comes late here. Memory is bounded whatever the topic
// holds: kPrefetchBytes in all are fetched ahead, and at least kLeastPrefetchBytes of a partition.
// It has a client of its own, made like the cluster's. One thread.
class TopicReader {
 public:
  static constexpr std::size_t kPrefetchBytes = 96 << 20;
  static constexpr std::size_t kMostPrefetchBytes = 32 << 20;  // of a partition
  static constexpr std::size_t kLeastPrefetchBytes = 2 << 20;

  // Throws RemoteError: no answer, no such topic, not allowed. StartupError: no such partition.
  TopicReader(Cluster& cluster, const std::string& topic, TopicReadOptions options);
  ~TopicReader();

  // The next record, valid until the next call. While there are records from before the reader was made it waits for them, at
  // most the cluster's timeout for each (RemoteError then); after that null means: nothing more,
  // for now or with as_of_now for good.
  const TopicRecord* next();
  // Whether everything from before the reader was made was given.
  bool caught_up() const noexcept;

  // Records between start and end when the reader was made; more than there are where a topic is
  // compacted or transactional.
  std::uint64_t expected() const noexcept;
  // Of those, how many were passed.
  std::uint64_t passed() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::kafka
