#pragma once

#include <cstdint>
#include <string>

#include "warehouse/sql/engine.hpp"

namespace segue::cli {

// How the rows of an answer are written. json: one object a line.
enum class AnswerForm : std::uint8_t { table, json, csv, parquet };

// Runs `sql` and writes its rows to `path`, or to standard output where that is empty; Parquet goes
// to a file only. Throws SqlError, StartupError.
void write_answer(warehouse::Engine& engine, const std::string& sql, AnswerForm form,
                  const std::string& path);

}  // namespace segue::cli
