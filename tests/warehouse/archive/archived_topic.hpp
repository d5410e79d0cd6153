#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kafka/settings.hpp"
#include "recorder/exchange.pb.h"
#include "tests/support/kafka_topic.hpp"
#include "tests/support/temp_dir.hpp"
#include "warehouse/archive/archive.hpp"
#include "warehouse/archive/archiver.hpp"
#include "warehouse/archive/topic_records.hpp"
#include "warehouse/storage/folder_store.hpp"

namespace segue::warehouse {

inline constexpr std::int64_t kFirstCreated = 1'763'715'600'000'000;

// The n-th exchange of a test, made a second after the one before.
v1::Exchange exchange_of(unsigned n);
// Writes exchanges `first` to before `last` to a topic, one after the other to each of its
// partitions, as a publisher does.
void publish(const test::KafkaTopic& topic, unsigned first, unsigned last, int partitions = 1);

// A topic of the shared broker and a folder that it is archived to.
class ArchivedTopic {
 public:
  explicit ArchivedTopic(int partitions = 1);

  test::KafkaTopic& topic() { return topic_; }
  Archive& archive() { return archive_; }
  TopicReading reading(TopicReading::Epoch epoch = TopicReading::Epoch::same) const;
  // `seguectl archive --once`, by the product's own parts.
  void archive_once(TopicReading::Epoch epoch = TopicReading::Epoch::same,
                    std::vector<ArchiveObserver*> observers = {}, std::uint64_t flush_rows = 100);
  // The topic goes, and comes again without records.
  void make_anew(int partitions = 1);
  // Kafka's retention takes everything before `offset`.
  void take_before(std::int64_t offset, std::int32_t partition = 0);
  // "source/partition/offset" of every row in the archive's files, sorted.
  std::vector<std::string> rows();
  kafka::Settings settings() const;

 private:
  test::TempDir folder_;
  test::KafkaTopic topic_;
  FolderStore store_;
  Archive archive_;
};

}  // namespace segue::warehouse
