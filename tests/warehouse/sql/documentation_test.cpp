// The table of columns in docs/querying.md is what a query sees.
#include <fmt/format.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>
#include <string>

#include "warehouse/sql/exchange_columns.hpp"

namespace segue::warehouse {
namespace {

TEST_CASE("docs/querying.md has the columns of exchanges, each with its type") {
  std::ifstream file(SEGUE_SOURCE_DIR "/docs/querying.md");
  std::ostringstream text;
  text << file.rdbuf();
  std::string rows;
  for (const ExchangeColumn& column : exchange_columns())
    rows += fmt::format("| `{}` | {} | {} |\n", column.name, column.sql_type(), column.about);
  INFO("the table must read:\n" << rows);
  CHECK(text.str().find(rows) != std::string::npos);
}

}  // namespace
}  // namespace segue::warehouse
