#pragma once

#include <span>

#include "warehouse/sql/parquet_files.hpp"

namespace segue::warehouse {

// The files below comparisons/: one row for each field in which the answers of a pair differ, and
// one without a field for a pair whose answers do not. Field ids are never reused.
std::span<const FileColumn> comparison_columns();

}  // namespace segue::warehouse
