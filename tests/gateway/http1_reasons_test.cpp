// docs/http.md promises by name why a message is refused. Each name in its tables must be the
// reason of a case of the corpus, and each reason of the corpus must stand in its tables.

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/gateway/http1_cases.hpp"

namespace segue::gateway::http1 {
namespace {

using Names = std::set<std::string, std::less<>>;

// The cells of "| a | b |"; a pipe in a cell is written "\|".
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '|' && line[i - 1] != '\\') {
      const auto first = cell.find_first_not_of(' ');
      const auto last = cell.find_last_not_of(' ');
      cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
      cell.clear();
    } else {
      cell += line[i];
    }
  }
  return cells;
}

void add_quoted(std::string_view cell, Names& names) {
  for (std::size_t at = cell.find('`'); at != std::string_view::npos; at = cell.find('`', at)) {
    const std::size_t end = cell.find('`', at + 1);
    if (end == std::string_view::npos) return;
    names.emplace(cell.substr(at + 1, end - at - 1));
    at = end + 1;
  }
}

// What stands in the last column of tables where that is called "reason".
Names documented() {
  std::ifstream file(SEGUE_SOURCE_DIR "/docs/http.md");
  Names names;
  bool of_reasons = false;
  std::string line;
  for (std::string before; std::getline(file, line); before = line) {
    if (!line.starts_with('|')) {
      of_reasons = false;
      continue;
    }
    const auto cells = cells_of(line);
    REQUIRE_FALSE(cells.empty());
    if (!before.starts_with('|')) of_reasons = cells.back() == "reason";
    if (of_reasons) add_quoted(cells.back(), names);
  }
  return names;
}

Names in_corpus() {
  Names names;
  for (const auto& row : request_cases())
    if (row.status != 0) names.emplace(row.reason);
  for (const auto& row : response_cases())
    if (!row.accepted) names.emplace(row.reason);
  for (const auto& row : chunk_cases())
    if (!row.damage.empty()) names.emplace(row.damage);
  return names;
}

Names without(const Names& some, const Names& others) {
  Names rest;
  for (const auto& name : some)
    if (!others.contains(name)) rest.insert(name);
  return rest;
}

}  // namespace

TEST_CASE("every reason in the tables of docs/http.md has a case, and every case stands in them") {
  const Names tables = documented();
  const Names cases = in_corpus();
  REQUIRE(tables.size() > 30);
  CHECK(without(tables, cases) == Names{});
  CHECK(without(cases, tables) == Names{});
}

}  // namespace segue::gateway::http1
