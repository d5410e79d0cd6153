#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "exchange/error.hpp"

namespace segue::cli {

// What a consumer of a journal has before it, in one run.
struct RunBacklog {
  std::string run;
  enum class Life : std::uint8_t { alive, dead } life = Life::dead;
  std::uint64_t records = 0;          // EXCHANGE and FINISH frames behind its cursor
  std::uint64_t bytes = 0;            // of their payloads
  std::int64_t oldest_unix_micros = 0;  // created_at of the first of them; 0: none
};

// Reads the cursors and the segments behind them, and takes no lock: also while a gateway and its
// publisher are at work. Fails when anything that is there cannot be opened or a cursor is none: a part
// of the lag would read as less than it is.
Result<std::vector<RunBacklog>> journal_backlog(const std::filesystem::path& journal,
                                                const std::string& consumer);

}  // namespace segue::cli
