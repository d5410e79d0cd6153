#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/sql/engine.hpp"

namespace segue::cli {

// What a saved query wants to be told, from a line `-- param NAME = DEFAULT: what it is` of it.
struct QueryParameter {
  std::string name;
  std::optional<std::string> value{};  // without one it has to be given
  std::string about{};
};

// A file NAME.sql: its first line of comment says what it answers.
struct SavedQuery {
  std::string name;
  std::string about;
  std::vector<QueryParameter> parameters;
  std::string sql;
};

// The folder that was named, else that of the installation beside the program, else that of the
// source tree. Throws StartupError: there is none.
std::filesystem::path saved_queries_folder(const std::optional<std::string>& named);
// By name. Throws StartupError.
std::vector<SavedQuery> saved_queries(const std::filesystem::path& folder);
// Throws StartupError: there is none of that name, with the names that there are.
SavedQuery saved_query(const std::filesystem::path& folder, std::string_view name);
SavedQuery parse_saved_query(std::string name, std::string sql);

// A line for each query, with its parameters.
std::string list_of(const std::vector<SavedQuery>& queries);

// Values by name, of "NAME=VALUE". Throws StartupError.
using QueryValues = std::map<std::string, std::string, std::less<>>;
QueryValues parse_values(const std::vector<std::string>& texts);
// `values`, and the defaults of the query. Throws StartupError: one is missing, or unknown.
QueryValues values_for(const SavedQuery& query, const QueryValues& values);
// Statements read them by getvariable('NAME'). Throws SqlError.
void set_variables(warehouse::Engine& engine, const QueryValues& values);

}  // namespace segue::cli
