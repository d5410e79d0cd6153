#pragma once

#include <string_view>

namespace segue::cli {

// Writes to standard output. Ends the process where that cannot go on: with 0 when whoever read it
// has gone, which is their right, and else with kFailed and a line on standard error.
void write_out(std::string_view text);
// What was written is on its way.
void flush_out();

}  // namespace segue::cli
