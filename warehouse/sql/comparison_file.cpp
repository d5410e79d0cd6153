#include "warehouse/sql/comparison_file.hpp"

#include <fmt/format.h>

#include <string_view>

#include "warehouse/sql/comparison_columns.hpp"
#include "warehouse/sql/parquet_files.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace segue::warehouse {
namespace {

constexpr const char* kTable = "comparison_rows";

// Appends values to a row, and takes each into its hash.
class RowWriter {
 public:
  explicit RowWriter(duckdb_appender appender) : appender_(appender) {}

  void text(const std::string& value) {
    duckdb_append_varchar_length(appender_, value.data(), value.size());
    mix(value);
  }
  void text(const std::optional<std::string>& value) {
    if (value) return text(*value);
    null();
  }
  void number(const std::optional<std::int64_t>& value) {
    if (!value) return null();
    duckdb_append_int64(appender_, *value);
    mix({reinterpret_cast<const char*>(&*value), sizeof *value});
  }
  void moment(std::int64_t unix_micros) {
    duckdb_append_timestamp(appender_, duckdb_timestamp{unix_micros});
  }
  std::uint64_t hash() const noexcept { return hash_; }

 private:
  void null() {
    duckdb_append_null(appender_);
    mix("\xff");
  }
  // Seeded with what came before, so that neither order nor borders of values are lost.
  void mix(std::string_view octets) {
    hash_ = XXH3_64bits_withSeed(octets.data(), octets.size(), hash_ + 1);
  }

  duckdb_appender appender_;
  std::uint64_t hash_ = 0;
};

std::string definitions() {
  std::string text;
  for (const FileColumn& column : comparison_columns())
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", sql_name(column.name), column.type);
  return text;
}

std::string field_ids() {
  std::string text;
  for (const FileColumn& column : comparison_columns())
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", sql_name(column.name),
                        column.field_id);
  return text;
}

}  // namespace

ComparisonFile::ComparisonFile() {
  engine_.run(fmt::format("CREATE TABLE {} ({})", kTable, definitions()));
  if (duckdb_appender_create(engine_.connection(), nullptr, kTable, &appender_) != DuckDBSuccess)
    throw SqlError("DuckDB appends nothing");
}

ComparisonFile::~ComparisonFile() { duckdb_appender_destroy(&appender_); }

void ComparisonFile::add(const ComparisonRow& row) {
  RowWriter writer(appender_);
  writer.text(row.id);
  writer.text(row.copy_id);
  writer.moment(row.created_at);
  for (const std::string* text : {&row.kind, &row.route, &row.path_template, &row.method,
                                  &row.target, &row.backend, &row.copy_backend})
    writer.text(*text);
  writer.number(row.status);
  writer.number(row.copy_status);
  writer.text(row.verdict);
  for (const auto* text : {&row.reason, &row.part, &row.field, &row.path, &row.difference,
                           &row.value, &row.copy_value})
    writer.text(*text);
  writer.moment(row.compared_at);
  if (duckdb_appender_end_row(appender_) != DuckDBSuccess)
    throw SqlError(duckdb_appender_error(appender_));
  sum_ += writer.hash();
  ++rows_;
}

std::string ComparisonFile::name() const { return fmt::format("{:016x}", sum_ ^ rows_); }

void ComparisonFile::write(const std::filesystem::path& path) {
  if (duckdb_appender_flush(appender_) != DuckDBSuccess)
    throw SqlError(duckdb_appender_error(appender_));
  engine_.run(fmt::format("COPY (FROM {} ORDER BY created_at, id, copy_id, part, path) TO {} "
                          "(FORMAT parquet, COMPRESSION zstd, FIELD_IDS {{{}}})",
                          kTable, sql_literal(path.string()), field_ids()));
  engine_.run(fmt::format("DELETE FROM {}", kTable));
  rows_ = sum_ = 0;
}

}  // namespace segue::warehouse
