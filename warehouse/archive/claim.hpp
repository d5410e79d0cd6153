#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "warehouse/archive/layout.hpp"

namespace segue::warehouse {

// The last moment that counts as a time of an exchange: the end of the year 9999, Unix microseconds.
inline constexpr std::int64_t kLastMoment = 253'402'300'799'999'999;

// What stands in a file of exchanges.
struct FileFacts {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;     // of the file
  std::string sha256;          // of the file, 64 hexadecimal digits
  std::uint64_t failures = 0;  // rows whose outcome is not COMPLETED or whose status is 5xx
  std::uint64_t finishes = 0;  // rows of kind FINISH
  std::uint64_t redelivered = 0;  // rows that the publisher may have sent before
  std::int64_t min_created_at = 0;  // Unix microseconds; 0: no row has a time
  std::int64_t max_created_at = 0;
};

// A claim of the records `start` to `end` of a chain: whoever creates it archives them. Claims of a
// chain follow each other without a gap.
struct Claim {
  // lost: what the source no longer held when it was to be read; `reason` says how that came.
  enum class Kind : std::uint8_t { rows, lost };

  Chain chain;
  std::uint64_t start = 0;
  std::uint64_t end = 0;  // the last one
  Kind kind = Kind::rows;
  Day day{};              // that the file is to lie under
  FileFacts file;         // as its writer encoded it
  std::string reason;     // of `lost`
  std::string encoder;    // versions of what wrote it: "segue 0.7.0, duckdb 1.4.4"
  std::string writer;     // host, process and start of who claimed it, for people
  std::int64_t claimed_at = 0;  // Unix microseconds

  std::string key() const { return claim_key(chain, start); }
  std::string file_key() const { return raw_key(day, chain, start, end); }
};

// That a claim's file is where it says, and how it is: it may have been encoded by another than
// who claimed it. Of a `lost` claim: no file, `path` is empty.
struct Done {
  std::string path;  // key of the file
  FileFacts file;
  std::int64_t done_at = 0;     // Unix microseconds
  std::uint64_t forgotten = 0;  // rows that were taken out since (`forget`)
};

// JSON with format_version 1. Reading throws StorageError that names `key`.
std::string to_json(const Claim& claim);
std::string to_json(const Done& done);
Claim parse_claim(const std::string& key, std::string_view json);
Done parse_done(const std::string& key, std::string_view json);

}  // namespace segue::warehouse
