#include "warehouse/upkeep/row_sql.hpp"

#include <fmt/format.h>

namespace segue::warehouse {

std::string count_places(const std::string& rows) {
  return fmt::format(
      "SELECT count(*), count(DISTINCT ({0})), coalesce(bit_xor(hash({0})), 0) FROM ({1})",
      kPlaceColumns, rows);
}

}  // namespace segue::warehouse
