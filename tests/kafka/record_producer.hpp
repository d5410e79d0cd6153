#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/kafka_broker.hpp"

namespace segue::test {

struct RecordToSend {
  std::int32_t partition = 0;
  std::string key{};
  std::string value{};
  std::int64_t unix_millis = 0;  // 0: now
  std::vector<std::pair<std::string, std::string>> headers{};
};

// Writes records as they are given, in their order; returns when all are acknowledged.
void produce(const KafkaBroker& broker, const std::string& topic,
             const std::vector<RecordToSend>& records);

// Commits offsets for a group that nobody is in, by partition.
void commit(const KafkaBroker& broker, const std::string& group, const std::string& topic,
            const std::map<std::int32_t, std::int64_t>& offsets);

}  // namespace segue::test
