#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "kafka/settings.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/journal.hpp"
#include "recorder/publisher/publisher.hpp"
#include "tests/recorder/publisher/mock_cluster.hpp"
#include "tests/support/patience.hpp"
#include "tests/support/temp_dir.hpp"

namespace segue::recorder::test {

inline constexpr const char* kTopic = "exchanges";

// The n-th exchange: account "account-(n mod accounts)", request body "n".
struct ExchangeShape {
  std::uint64_t accounts = 10;
  std::size_t response_bytes = 200;
};
v1::Exchange exchange_number(std::uint64_t n, const ExchangeShape& shape = {});
std::uint64_t number_of(const v1::Exchange& exchange);
std::uint64_t number_of(const KafkaRecord& record);

void append(Lane& lane, const v1::Exchange& exchange);

JournalSettings published_journal_settings(const std::filesystem::path& directory);
kafka::Settings settings_for(const std::string& bootstrap);
// Everything that can be waited for is short.
PublisherTimings quick();

// What the publisher said in its log, line by line. Any thread.
class Log {
 public:
  std::function<void(const std::string&)> sink();
  // Waits for a line that contains `text`, from the beginning.
  void wait_for(std::string_view text, const Deadline& deadline = Deadline{}) const;
  std::vector<std::string> lines() const;
  std::size_t count(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable said_;
  std::vector<std::string> lines_;
};

// A journal with a publisher, in a folder of its own.
class PublishedJournal {
 public:
  explicit PublishedJournal(kafka::Settings settings, PublisherTimings timings = quick(),
                            unsigned lanes = 2);

  // Appends exchanges first .. first + count - 1, to the lanes in turn.
  void append(std::uint64_t first, std::uint64_t count, const ExchangeShape& shape = {});
  // Until the publisher's status is as wanted.
  PublisherStatus wait_until(const std::function<bool(const PublisherStatus&)>& wanted,
                             const Deadline& deadline = Deadline{}) const;

  segue::test::TempDir folder;
  Log log;
  Journal journal;
  Publisher publisher;
};

// What every topic must hold after whatever happened: each of the numbers 0 .. count - 1 at least
// once; and (check_order) keeping the first record of each id, in rising order for each key.
void check_order(const TopicReader::Records& records);
void check_whole_and_in_order(const TopicReader::Records& records, std::uint64_t count);
// Whether each of them came at least once.
std::function<bool(const TopicReader::Records&)> all_numbers(std::uint64_t count);

}  // namespace segue::recorder::test
