#include "cli/query/saved_queries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "exchange/error.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParameter = "param ";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// "NAME = DEFAULT: about", "NAME: about"
QueryParameter parse_parameter(std::string_view text) {
  const std::size_t colon = text.find(": ");
  QueryParameter parameter;
  if (colon != std::string_view::npos) parameter.about = trimmed(text.substr(colon + 2));
  text = text.substr(0, colon);
  const std::size_t equals = text.find('=');
  parameter.name = trimmed(text.substr(0, equals));
  if (equals != std::string_view::npos) parameter.value = trimmed(text.substr(equals + 1));
  return parameter;
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw StartupError(fmt::format("{}: cannot be read", path.string()));
  return text;
}

}  // namespace

fs::path saved_queries_folder(const std::optional<std::string>& named) {
  std::error_code error;
  if (named) {
    if (fs::is_directory(*named, error)) return *named;
    throw StartupError(fmt::format("{}: no folder of saved queries", *named));
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = program.parent_path().parent_path() / "share/segue/queries";
  for (const fs::path& folder : {installed, fs::path(SEGUE_QUERIES)})
    if (fs::is_directory(folder, error)) return folder;
  throw StartupError(fmt::format("there are no saved queries at {}: name their folder by --queries",
                                 installed.string()));
}

SavedQuery parse_saved_query(std::string name, std::string sql) {
  SavedQuery query{std::move(name), {}, {}, std::move(sql)};
  std::string_view text = query.sql;
  while (text.starts_with("--")) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(2, end - 2));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(kParameter))
      query.parameters.push_back(parse_parameter(line.substr(kParameter.size())));
    else if (query.about.empty())
      query.about = line;
  }
  return query;
}

std::vector<SavedQuery> saved_queries(const fs::path& folder) {
  std::vector<SavedQuery> queries;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".sql")
      queries.push_back(parse_saved_query(entry.path().stem().string(), read_text(entry.path())));
  std::ranges::sort(queries, {}, &SavedQuery::name);
  return queries;
}

SavedQuery saved_query(const fs::path& folder, std::string_view name) {
  std::string names;
  for (SavedQuery& query : saved_queries(folder)) {
    if (query.name == name) return std::move(query);
    names += (names.empty() ? "" : ", ") + query.name;
  }
  throw StartupError(fmt::format("no saved query @{} in {}; there are: {}", name, folder.string(),
                                 names.empty() ? "none" : names));
}

std::string list_of(const std::vector<SavedQuery>& queries) {
  std::size_t longest = 0;
  for (const SavedQuery& query : queries) longest = std::max(longest, query.name.size());
  std::string list;
  for (const SavedQuery& query : queries) {
    list += fmt::format("@{:<{}}  {}\n", query.name, longest, query.about);
    for (const QueryParameter& parameter : query.parameters)
      list += fmt::format("    --param {}{}{}\n", parameter.name,
                          parameter.value ? "=" + *parameter.value : "=...",
                          parameter.about.empty() ? "" : "  " + parameter.about);
  }
  return list;
}

QueryValues parse_values(const std::vector<std::string>& texts) {
  QueryValues values;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw StartupError(fmt::format("--param {}: write NAME=VALUE", text));
    values.insert_or_assign(text.substr(0, equals), text.substr(equals + 1));
  }
  return values;
}

QueryValues values_for(const SavedQuery& query, const QueryValues& values) {
  QueryValues all;
  for (const QueryParameter& parameter : query.parameters) {
    const auto given = values.find(parameter.name);
    if (given == values.end() && !parameter.value)
      throw StartupError(fmt::format("@{} wants --param {}=...{}", query.name, parameter.name,
                                     parameter.about.empty() ? "" : ": " + parameter.about));
    all.emplace(parameter.name, given != values.end() ? given->second : *parameter.value);
  }
  for (const auto& [name, value] : values)
    if (!all.contains(name))
      throw StartupError(fmt::format("@{} has no parameter {}", query.name, name));
  return all;
}

void set_variables(warehouse::Engine& engine, const QueryValues& values) {
  for (const auto& [name, value] : values)
    engine.run(fmt::format("SET VARIABLE {} = {}", warehouse::sql_name(name),
                           warehouse::sql_literal(value)));
}

}  // namespace segue::cli
