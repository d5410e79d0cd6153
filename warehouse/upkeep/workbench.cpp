#include "warehouse/upkeep/workbench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "warehouse/archive/layout.hpp"
#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/comparison_columns.hpp"
#include "warehouse/sql/exchange_columns.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::warehouse {
namespace {

// Those of a kind are given in order, and none twice: what is greater than all is of a newer version.
std::string is_newer() {
  constexpr int kFirstOfArchive = 100;  // to 199; before: of exchanges
  const auto behind = [](const auto& columns) {
    int last = 0;
    for (const auto& column : columns) last = std::max(last, column.field_id);
    return last + 1;
  };
  return fmt::format("field_id BETWEEN {} AND {} OR field_id BETWEEN {} AND {}",
                     behind(exchange_columns()), kFirstOfArchive - 1, behind(archive_columns()),
                     kFirstOfArchive + 99);
}

}  // namespace

Workbench::Workbench(ObjectStore& store, const WorkbenchSettings& settings)
    : store_(store), staging_(settings.staging) {
  mount(engine_, store_);
  prepare_for_copy(engine_);
  run(fmt::format("SET memory_limit = '{}B'", settings.memory_bytes));
  run(fmt::format("SET temp_directory = {}", sql_literal((staging_.folder() / "spill").string())));
}

std::filesystem::path Workbench::new_file() {
  return staging_.folder() / fmt::format("{}.parquet", ++files_);
}

std::string Workbench::rows_of(std::span<const std::string> keys) const {
  std::vector<std::string> paths;
  for (const std::string& key : keys) paths.push_back(sql_path(key));
  if (keys.front().starts_with(comparisons_folder())) return read_files(comparison_columns(), paths);
  return read_files(archived_columns(), paths);
}

std::string Workbench::rows_of(const std::filesystem::path& file) {
  return fmt::format("read_parquet({})", sql_literal(file.string()));
}

void Workbench::refuse_newer(std::span<const std::string> keys) {
  std::string paths;
  for (const std::string& key : keys)
    paths += (paths.empty() ? "" : ", ") + sql_literal(sql_path(key));
  std::string found;
  ask(fmt::format("SELECT file_name, name FROM parquet_schema([{}]) WHERE {} LIMIT 1", paths,
                  is_newer()),
      [&](const Engine::Row& row) { found = fmt::format("{} has a column `{}`", row[0], row[1]); });
  if (!found.empty())
    throw StorageError(fmt::format("{}: {}: a newer segue wrote it; use that version, or a newer one",
                                   store_.name(), found));
}

void Workbench::run(const std::string& sql) {
  ask(sql, [](const Engine::Row&) {});
}

void Workbench::ask(const std::string& sql, const std::function<void(const Engine::Row&)>& take) {
  try {
    engine_.ask(sql, take);
  } catch (const SqlError& error) {
    throw StorageError(fmt::format("{}: {}", store_.name(), error.what()));
  }
}

std::vector<std::uint64_t> Workbench::numbers(const std::string& sql) {
  std::vector<std::uint64_t> values;
  ask(fmt::format("SELECT COLUMNS(*)::VARCHAR FROM ({})", sql), [&](const Engine::Row& row) {
    if (!values.empty()) return;
    for (const std::string_view text : row) {
      std::uint64_t value = 0;
      std::from_chars(text.data(), text.data() + text.size(), value);
      values.push_back(value);
    }
  });
  return values;
}

std::uint64_t Workbench::rows_in(const std::string& key) {
  try {
    std::uint64_t rows = 0;
    engine_.ask(fmt::format("SELECT num_rows::VARCHAR FROM parquet_file_metadata({})",
                            sql_literal(sql_path(key))),
                [&](const Engine::Row& row) {
                  std::from_chars(row[0].data(), row[0].data() + row[0].size(), rows);
                });
    return rows;
  } catch (const SqlError& error) {
    throw StorageError(fmt::format("{}: {}: {}", store_.name(), key, error.what()));
  }
}

}  // namespace segue::warehouse
