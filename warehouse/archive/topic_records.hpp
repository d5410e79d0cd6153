#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/settings.hpp"
#include "kafka/topic_record.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/record_source.hpp"
#include "warehouse/archive/restored_mark.hpp"

namespace segue::warehouse {

inline constexpr const char* kArchiverGroup = "segue-archiver";

// Which chains are of a topic: 1 is TOPIC itself, 2 is TOPIC@2, ...; 0: another topic's.
unsigned epoch_of(const Chain& chain, const std::string& topic);

// The exchange in a record's value, which may be in Confluent's frame; what is neither, as it is.
std::string_view payload_of(const kafka::TopicRecord& record);

// Of a record that was put back from an archive: where it was in it.
std::optional<RestoredMark> mark_of(const kafka::TopicRecord& record);
// Whether a record says that it may be there twice: its publisher may have sent it before, or it was
// put back.
bool may_be_twice(const kafka::TopicRecord& record);

// How a topic is read for an archive.
struct TopicReading {
  kafka::Settings settings;
  std::string topic{};
  std::string group = kArchiverGroup;
  std::chrono::milliseconds timeout{10'000};  // for every answer
  // group: the partitions that the consumer group gives this member; all: every partition, without
  // joining the group (`--once`).
  enum class Share : std::uint8_t { group, all } share = Share::group;
  // next: a partition whose chain cannot go on, because the topic was deleted and made again, gets
  // a new chain, "TOPIC@2". Chains that can go on do.
  enum class Epoch : std::uint8_t { same, next } epoch = Epoch::same;
  std::function<bool()> stopping{};  // wait() ends when it says so; asked ten times a second
};

// For who is about to make an archive of it: throws RemoteError where no broker answers or the
// topic is not there, StartupError where it cannot be archived.
void expect_topic(const TopicReading& reading);

// A topic as the archiver reads it. Chains are its partitions. The group only says which of them
// are whose: where each begins is said by the archive, what is read twice is fenced by claims, and
// offsets are committed for whoever looks at the group's lag. Values lose Confluent's frame. Records
// that `restore` put back from this archive are passed over.
//
// A partition that is taken over is looked at: what Kafka has of the last claim must be what the
// archive has, else the topic is another one than it was, and its chain halts: first(), waiting() and
// read() of it throw StartupError, the other chains go on, and chains() looks again. The same when a
// partition ends before what was archived. A topic that is compacted is refused.
//
// One reader at a time: read() ends the one before. Memory is bounded by what is fetched ahead
// (kafka::PartitionRanges).
class TopicRecords : public RecordSource {
 public:
  // Connects when it is asked for chains(). The archive outlives it.
  TopicRecords(TopicReading reading, const Archive& archive);
  ~TopicRecords() override;

  const std::string& name() const override;
  // Asks once more for an assignment while there is none; then there may be no chain yet.
  std::vector<Chain> chains() override;
  std::uint64_t first(const Chain& chain) override;
  std::optional<Waiting> waiting(const Chain& chain, std::uint64_t next) override;
  std::unique_ptr<RecordReader> read(const Chain& chain, std::uint64_t from,
                                     std::uint64_t to) override;
  void archived(const Chain& chain, std::uint64_t next) override;
  void wait(std::chrono::milliseconds most) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::warehouse
