#pragma once

#include <duckdb.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "warehouse/sql/exchange_row.hpp"

namespace segue::warehouse {

using Headers = google::protobuf::RepeatedPtrField<v1::Field>;

// One column of the table `exchanges`: how it is called, its type, what it is read from. Absent
// values are NULL. Text is made valid UTF-8: other octets become U+FFFD.
struct ExchangeColumn {
  using Text = std::optional<std::string_view> (*)(ExchangeRow&);      // VARCHAR
  using Octets = std::optional<std::string_view> (*)(ExchangeRow&);    // BLOB
  using Number = std::optional<std::int64_t> (*)(ExchangeRow&);        // BIGINT
  using Fields = const Headers& (*)(ExchangeRow&);  // MAP(VARCHAR, VARCHAR[]), names in lower case
  struct Blob {
    Octets of;
  };
  struct Time {
    Number of;  // Unix microseconds: TIMESTAMP, UTC
  };

  // Names the column in a file for as long as there are files; of a column that goes it is not used
  // again. 1 to 99; 100 to 199 are archive_columns().
  int field_id;
  const char* name;
  std::variant<Text, Blob, Number, Time, Fields> value;
  const char* about;

  std::string_view sql_type() const;
  duckdb_logical_type logical_type() const;  // for the caller to destroy
  // Writes the value of `row` at `at` of a vector of this type. Columns of MAP are written from the
  // first row on, one after the other.
  void write(ExchangeRow& row, duckdb_vector into, idx_t at) const;
  void write_null(duckdb_vector into, idx_t at) const;
};

// Unix microseconds. Moments that no gateway can have seen are none: engines fail at years of six
// digits.
std::optional<std::int64_t> created_at(ExchangeRow& row);

// In the order of `SELECT *`.
std::span<const ExchangeColumn> exchange_columns();

// A column that the rows of an archive have beyond exchange_columns().
struct ArchiveColumn {
  int field_id;
  const char* name;
  duckdb_type type;
  const char* sql_type;
  const char* about;
};

// source, partition, offset, redelivered, record; behind exchange_columns().
std::span<const ArchiveColumn> archive_columns();

// All columns of a file of an archive as COPY takes their ids: {id: 1, created_at: 2, ...}. Those
// within a MAP column are made of its own: 1000 times it, and 1 for its keys, 2 for its lists, 3 for
// their elements.
std::string archive_field_ids();

}  // namespace segue::warehouse
