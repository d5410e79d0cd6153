#include "warehouse/upkeep/workbench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::warehouse {
namespace {

std::string read_parquet(const std::string& list) {
  return fmt::format(
      "read_parquet([{}], union_by_name = true, hive_partitioning = false, filename = true)", list);
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

std::string Workbench::path_of(std::string_view key) const { return sql_path(store_, key); }

std::string Workbench::rows_of(std::span<const std::string> keys) const {
  std::string list;
  for (const std::string& key : keys) {
    if (!list.empty()) list += ", ";
    list += sql_literal(path_of(key));
  }
  return read_parquet(list);
}

std::string Workbench::rows_of(const std::filesystem::path& file) {
  return read_parquet(sql_literal(file.string()));
}

std::filesystem::path Workbench::local_file(const std::string& key) {
  if (auto file = store_.file_of(key)) return *file;
  constexpr std::uint64_t kPiece = 8 << 20;
  const auto bytes = store_.size(key);
  if (!bytes) throw StorageError(fmt::format("{}: {} is gone", store_.name(), key));
  const auto path = new_file();
  std::ofstream file(path, std::ios::binary);
  for (std::uint64_t at = 0; at < *bytes; at += kPiece)
    file << store_.read(key, at, std::min(kPiece, *bytes - at));
  if (!file.flush()) throw StorageError(fmt::format("{}: cannot write", path.string()));
  return path;
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
                            sql_literal(path_of(key))),
                [&](const Engine::Row& row) {
                  std::from_chars(row[0].data(), row[0].data() + row[0].size(), rows);
                });
    return rows;
  } catch (const SqlError& error) {
    throw StorageError(fmt::format("{}: {}: {}", store_.name(), key, error.what()));
  }
}

}  // namespace segue::warehouse
