#include "config/key_documentation.hpp"

#include <fmt/format.h>

#include "config/keys.hpp"

namespace segue::config {
namespace {

std::string cell(std::string_view text) {
  std::string result;
  for (char c : text) {
    if (c == '|') result += '\\';
    result += c;
  }
  return result;
}

std::string row_of(const KeyRow& row) {
  const std::string value = row.default_text.empty() ? "" : fmt::format("{}", row.default_text);
  return fmt::format("| `{}` | {} | {} | {} |\n", row.key, cell(row.type), cell(value),
                     cell(row.about));
}

}  // namespace

std::string key_documentation() {
  std::vector<KeyRow> rows;
  document_keys("", root_keys(), Settings{}, rows);
  std::string table = "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
  for (const KeyRow& row : rows) table += row_of(row);
  return table;
}

}  // namespace segue::config
