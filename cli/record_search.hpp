#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kafka/topic_reader.hpp"

namespace segue::cli {

// Which records are looked for; everything that is said must hold.
struct RecordSearch {
  std::optional<std::string> value;  // text anywhere in the exchange or in the raw value
  std::optional<std::string> key;    // exactly; a hot key's buckets ("key#3") count, too
  std::vector<std::pair<std::string, std::string>> headers;  // name, value; exactly
  std::int64_t until_millis = std::numeric_limits<std::int64_t>::max();

  bool matches(const kafka::TopicRecord& record) const;
};

// Whether a key is `account`, or one of the buckets that a hot account is spread over.
bool is_key_of(std::string_view key, std::string_view account);

}  // namespace segue::cli
