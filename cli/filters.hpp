#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "recorder/exchange.pb.h"
#include "recorder/settings.hpp"

namespace CLI {
class App;
}

namespace segue::cli {

struct StatusRange {
  std::uint32_t low = 0;
  std::uint32_t high = 0;  // both included
};

// "404", "5xx" or "500-599"; nullopt for anything else.
std::optional<StatusRange> parse_status(std::string_view text);

// "24h", "90s", "15m", "7d" before `now`, or "2026-11-21", "2026-11-21T09:00",
// "2026-11-21T09:00:00.5Z", "...+01:00" (RFC 3339; UTC without a zone). Microseconds since the
// Unix epoch; nullopt for anything else.
std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now);

// Account ids as they may be on record: hashed under the journal's own account key and the configured
// one, where those are there. Throws StartupError.
std::vector<std::string> hashed_accounts(const std::vector<std::string>& accounts,
                                         const std::filesystem::path& journal,
                                         const recorder::KeySettings& keys);

// A time of the command line, "24h", "2026-11-21", ... (parse_time, as of now), into `into`.
void add_moment_option(CLI::App& command, const char* name, std::optional<std::int64_t>& into,
                     const char* about);

// Which exchanges of a source are meant. Values of one option are alternatives, options add up.
// Values are checked while the command line is read.
class Filters {
 public:
  // Adds --route --status --method --account --since --until to a command, and --kind where the
  // command does not say itself what kinds it reads.
  enum class Kinds : std::uint8_t { asked_for, fixed };
  void add_to(CLI::App& command, Kinds kinds = Kinds::asked_for);
  // Account ids may be on record hashed, under the journal's own account key or the configured one:
  // reads those that are there, once, before the first matches(). Throws StartupError.
  void prepare(const std::filesystem::path& journal, const recorder::KeySettings& keys = {});

  bool matches(const v1::Exchange& exchange) const;
  // Whether it depends on whose an exchange is.
  bool asks_for_accounts() const { return !accounts_.empty(); }
  // Whether exchanges of this route may be meant.
  bool takes_route(std::string_view route) const;
  // Whether FINISH records were asked for by name.
  bool wants_finishes() const;
  std::int64_t since() const { return since_.value_or(0); }
  // The same question as a condition of SQL over the columns of an archive; empty: everything is
  // meant. FINISH records are.
  std::string condition() const;

 private:
  bool status_matches(const v1::Exchange& exchange) const;

  std::vector<std::string> routes_, methods_, accounts_, kinds_, statuses_;
  std::vector<StatusRange> ranges_;
  std::optional<std::int64_t> since_, until_;
  std::vector<std::string> hashed_accounts_;
};

}  // namespace segue::cli
