#include "warehouse/sql/parquet_files.hpp"

#include <fmt/format.h>

namespace segue::warehouse {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string all(1, quote);
  for (const char c : text) {
    if (c == quote) all += quote;
    all += c;
  }
  return all + quote;
}

std::string nothing(std::span<const FileColumn> columns) {
  std::string select;
  for (const FileColumn& column : columns)
    select += fmt::format("NULL::{} AS {}, ", column.type, sql_name(column.name));
  return fmt::format("SELECT {}NULL::VARCHAR AS filename, NULL::DATE AS dt WHERE false", select);
}

}  // namespace

std::string read_files(std::span<const FileColumn> columns, const std::vector<std::string>& paths) {
  std::string files;
  for (const std::string& path : paths)
    files += (files.empty() ? "" : ", ") + sql_literal(path);
  std::string schema;
  for (const FileColumn& column : columns)
    schema += fmt::format("{}{}: {{name: {}, type: {}, default_value: NULL}}",
                          schema.empty() ? "" : ", ", column.field_id, sql_literal(column.name),
                          sql_literal(column.type));
  return fmt::format("read_parquet([{}], filename = true, schema = MAP {{{}}})", files, schema);
}

std::string sql_literal(std::string_view text) { return quoted(text, '\''); }
std::string sql_name(std::string_view name) { return quoted(name, '"'); }

void add_files(Engine& engine, std::string_view view, std::span<const FileColumn> columns,
               const std::vector<std::string>& paths) {
  engine.run(fmt::format("CREATE OR REPLACE VIEW {} AS {}", view,
                         paths.empty()
                             ? nothing(columns)
                             : fmt::format("SELECT *, regexp_extract(filename, "
                                           "'/dt=([0-9-]{{10}})/', 1)::DATE AS dt FROM {}",
                                           read_files(columns, paths))));
}

}  // namespace segue::warehouse
