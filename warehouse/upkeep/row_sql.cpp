#include "warehouse/upkeep/row_sql.hpp"

#include <fmt/format.h>

#include "warehouse/sql/exchange_columns.hpp"

namespace segue::warehouse {

std::string with_all_columns(const std::string& select) {
  std::string none;
  const auto add = [&none](std::string_view name, std::string_view type) {
    none += fmt::format("{}NULL::{} AS \"{}\"", none.empty() ? "SELECT " : ", ", type, name);
  };
  for (const ExchangeColumn& column : exchange_columns()) add(column.name, column.sql_type());
  for (const ArchiveColumn& column : archive_columns()) add(column.name, column.sql_type);
  return fmt::format("{} WHERE false UNION ALL BY NAME ({})", none, select);
}

std::string count_places(const std::string& rows) {
  return fmt::format(
      "SELECT count(*), count(DISTINCT ({0})), coalesce(bit_xor(hash({0})), 0) FROM ({1})",
      kPlaceColumns, rows);
}

}  // namespace segue::warehouse
