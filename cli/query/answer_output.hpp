#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "warehouse/sql/engine.hpp"

namespace segue::cli {

// How the rows of an answer are written. json: one object a line.
enum class AnswerForm : std::uint8_t { table, json, csv, parquet };

// Runs `sql` and writes its rows to `path`, or to standard output where that is empty; Parquet goes
// to a file only. `rows_come` is called before the first of them is written. Throws SqlError,
// StartupError.
void write_answer(warehouse::Engine& engine, const std::string& sql, AnswerForm form,
                  const std::string& path, const std::function<void()>& rows_come);

}  // namespace segue::cli
