#include "warehouse/sql/comparison_columns.hpp"

#include <vector>

namespace segue::warehouse {

std::span<const FileColumn> comparison_columns() {
  static const std::vector<FileColumn> columns{
      {"id", "VARCHAR", 1},            // of the primary
      {"copy_id", "VARCHAR", 2},       // of the shadow or control
      {"created_at", "TIMESTAMP", 3},  // of the primary
      {"kind", "VARCHAR", 4},          // of the copy: SHADOW or CONTROL
      {"route", "VARCHAR", 5},
      {"path_template", "VARCHAR", 6},
      {"method", "VARCHAR", 7},
      {"target", "VARCHAR", 8},
      {"backend", "VARCHAR", 9},
      {"copy_backend", "VARCHAR", 10},
      {"status", "BIGINT", 11},
      {"copy_status", "BIGINT", 12},
      {"verdict", "VARCHAR", 13},     // same, different, incomparable, credentials
      {"reason", "VARCHAR", 14},      // why not everything could be compared
      {"part", "VARCHAR", 15},        // status, header, body
      {"field", "VARCHAR", 16},       // what is counted: the path with [*] for every index
      {"path", "VARCHAR", 17},        // where in these two answers
      {"difference", "VARCHAR", 18},  // value, type, missing, extra, length, order, pattern, ...
      {"value", "VARCHAR", 19},       // the primary's, at most 200 octets
      {"copy_value", "VARCHAR", 20},
      {"compared_at", "TIMESTAMP", 21},
  };
  return columns;
}

}  // namespace segue::warehouse
