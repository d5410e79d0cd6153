#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/storage/object_store.hpp"

namespace segue::test {

// The same question in three dialects; all its columns are text.
struct Question {
  std::string duckdb;
  std::string spark;
  std::string trino;
};

// By name: counts, where rows came from, headers, bodies, times, JSON.
std::map<std::string, Question> questions();

// Rows as text, sorted; absent values are told from empty ones.
using Rows = std::vector<std::string>;

// How one value of a row is written; nullopt: it is absent.
std::string row_value(std::optional<std::string_view> value);

Rows ask_duckdb(warehouse::ObjectStore& store, const std::string& sql);

// Every answer, by the names of questions(), is DuckDB's own, and the archive has compacted days and
// others.
void check_answers(warehouse::ObjectStore& store, const std::map<std::string, Rows>& answers);

}  // namespace segue::test
