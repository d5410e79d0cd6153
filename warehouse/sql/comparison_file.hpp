#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// One row of comparison_columns(): a field in which the answers of a pair differ, or with nothing
// from `part` on a pair that has none. Texts are valid UTF-8; absent: NULL.
struct ComparisonRow {
  std::string id{};
  std::string copy_id{};
  std::int64_t created_at = 0;  // Unix microseconds
  std::string kind{};
  std::string route{};
  std::string path_template{};
  std::string method{};
  std::string target{};
  std::string backend{};
  std::string copy_backend{};
  std::optional<std::int64_t> status{};
  std::optional<std::int64_t> copy_status{};
  std::string verdict{};
  std::optional<std::string> reason{};
  std::optional<std::string> part{};
  std::optional<std::string> field{};
  std::optional<std::string> path{};
  std::optional<std::string> difference{};
  std::optional<std::string> value{};
  std::optional<std::string> copy_value{};
  std::int64_t compared_at = 0;  // Unix microseconds
};

// Gathers rows and writes them as a Parquet file below comparisons/. One thread.
class ComparisonFile {
 public:
  // Throws StartupError, SqlError.
  ComparisonFile();
  ~ComparisonFile();

  void add(const ComparisonRow& row);
  std::uint64_t rows() const noexcept { return rows_; }
  // What names these rows, whatever order they came in and whenever they were compared: 16
  // hexadecimal digits.
  std::string name() const;
  // Writes the rows, in the order of ids, to a new file, and begins anew. Throws SqlError.
  void write(const std::filesystem::path& path);

 private:
  Engine engine_;
  duckdb_appender appender_ = nullptr;
  std::uint64_t rows_ = 0;
  std::uint64_t sum_ = 0;  // of the rows' hashes
};

}  // namespace segue::warehouse
