#include "warehouse/sql/object_files.hpp"

namespace segue::warehouse {
namespace {

constexpr std::string_view kScheme = "archive://";

}  // namespace

std::string sql_path(const ObjectStore& store, std::string_view key) {
  // DuckDB would take a folder's odd name for a pattern.
  const auto root = store.file_of("");
  if (root && root->string().find_first_of("*?[") == std::string::npos)
    return store.file_of(key)->string();
  return std::string(kScheme).append(key);
}

}  // namespace segue::warehouse
