#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue::warehouse {

// How an archive's keys are made; docs/warehouse.md shows the tree. Names of topics and partitions
// are percent-encoded but for letters, digits, `.`, `_` and `-`.

using Day = std::chrono::sys_days;  // UTC

std::string text_of(Day day);                          // 2026-11-20
std::optional<Day> parse_day(std::string_view text);
Day day_of(std::int64_t unix_micros);

// One chain of claims: the records of one partition of one topic, or of one lane of one journal.
struct Chain {
  std::string topic;      // or the instance's name; "@2" behind it: its second epoch
  std::string partition;  // Kafka's number; of a journal "<run>-<lane>"

  auto operator<=>(const Chain&) const = default;
  bool operator==(const Chain&) const = default;
};

std::string chains_folder();                           // _commits/
std::string chain_folder(const Chain& chain);          // _commits/TOPIC/PARTITION/
// The name behind a folder's of _commits/; nullopt: this project made no folder of that name.
std::optional<std::string> parse_folder_name(std::string_view folder);
std::string claim_key(const Chain& chain, std::uint64_t start);  // .../<start, 20 digits>.json
std::string done_key(const Chain& chain, std::uint64_t start);   // .../<start, 20 digits>.json.done
// nullopt: the key is none of a claim (nor of its `.done`).
std::optional<std::uint64_t> start_of_claim_key(std::string_view key);
std::string genesis_key(const Chain& chain);           // .../genesis.json
std::string checkpoint_key(const Chain& chain);        // .../checkpoint.json

std::string raw_folder();                              // raw/
std::string raw_folder(Day day);                       // raw/dt=2026-11-20/
// raw/dt=2026-11-20/TOPIC~PARTITION~<start, 20 digits>~<end>.parquet; `end` is the last one in it.
std::string raw_key(Day day, const Chain& chain, std::uint64_t start, std::uint64_t end);
// How long the names of a chain's files may become, in octets.
std::size_t longest_raw_name(const Chain& chain);

// What a key of raw/ says of its file; nullopt: it is none that this project made.
struct RawFile {
  Chain chain;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};
std::optional<RawFile> parse_raw_key(std::string_view key);

std::string compact_folder();                          // compact/
std::string compact_folder(Day day);                   // compact/dt=2026-11-20/
std::string compact_key(Day day, unsigned number, std::string_view inputs_hash);
std::string comparisons_folder();                      // comparisons/
// The day of a key in raw/, compact/ or comparisons/; nullopt: it has none.
std::optional<Day> day_of_key(std::string_view key);

std::string archive_key();                             // _archive.json
std::string watermark_key();                           // _watermark.json
// watermark/before.json: the same for engines that see no object whose name begins with `_`.
std::string watermark_table_key();
std::string closing_folder();                          // _closing/
std::string closing_key(Day day);                      // _closing/dt=2026-11-20.json
std::string compaction_key(Day day);                   // _compactions/dt=2026-11-20.json

}  // namespace segue::warehouse
