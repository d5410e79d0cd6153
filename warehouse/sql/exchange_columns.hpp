#pragma once

#include <duckdb.h>

#include <cstdint>
#include <optional>
#include <span>
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

  const char* name;
  std::variant<Text, Blob, Number, Time, Fields> value;
  const char* about;

  std::string_view sql_type() const;
  duckdb_logical_type logical_type() const;  // for the caller to destroy
  // Writes the value of `row` at `at` of a vector of this type. Columns of MAP are written from the
  // first row on, one after the other.
  void write(ExchangeRow& row, duckdb_vector into, idx_t at) const;
};

// In the order of `SELECT *`.
std::span<const ExchangeColumn> exchange_columns();

}  // namespace segue::warehouse
