#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/archive/claim.hpp"
#include "warehouse/storage/object_store.hpp"

namespace segue::warehouse {

// A file that went into a compaction, as its `.done` said it was then.
struct CompactionInput {
  Chain chain;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::string path;
  std::uint64_t rows = 0;
  std::string sha256;
};

// A row that was left out: its publisher had sent it before, and the first one stayed.
struct Removal {
  std::string source;
  std::string partition;
  std::uint64_t offset = 0;

  bool operator==(const Removal&) const = default;
};

// How a day was compacted (`_compactions/dt=D.json`): rows of `inputs` = rows of `outputs` + what
// was forgotten of them since + `removals`.
struct Compaction {
  enum class Raw : std::uint8_t { kept, removed };  // the inputs, once the grace period is over

  Day day{};
  std::vector<CompactionInput> inputs;
  std::vector<Done> outputs;
  std::vector<Removal> removals;
  std::int64_t compacted_at = 0;  // Unix microseconds
  Raw raw = Raw::kept;

  std::uint64_t input_rows() const;
  std::uint64_t output_rows() const;     // as they are now
  std::uint64_t forgotten_rows() const;  // of the outputs
};

// JSON with format_version 1. Reading throws StorageError that names `key`.
std::string to_json(const Compaction& compaction);
Compaction parse_compaction(const std::string& key, std::string_view json);

// nullopt: the day was not compacted, or held nothing.
std::optional<Compaction> compaction_of(ObjectStore& store, Day day);
// The days that have such a record, in their order.
std::vector<Day> compacted_days(ObjectStore& store);

}  // namespace segue::warehouse
