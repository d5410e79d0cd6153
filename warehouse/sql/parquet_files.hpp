#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// A column of Parquet files as a statement is to see it. It is found in them by its field id, so
// that files of an older schema, which lack it, give NULL, and no file but the first is opened
// before the statement runs.
struct FileColumn {
  std::string name;
  std::string type;  // of SQL
  int field_id = 0;
};

// As a literal of SQL, in single quotes; as a name, in double quotes.
std::string sql_literal(std::string_view text);
std::string sql_name(std::string_view name);

// "read_parquet(...)": these columns of the rows of files, and `filename`. At least one file.
std::string read_files(std::span<const FileColumn> columns, const std::vector<std::string>& paths);

// Makes or replaces a view over files with these columns, `filename` and the day `dt` that it says;
// a condition on dt alone leaves whole files out. Without files it has no rows. Throws SqlError.
void add_files(Engine& engine, std::string_view view, std::span<const FileColumn> columns,
               const std::vector<std::string>& paths);

}  // namespace segue::warehouse
