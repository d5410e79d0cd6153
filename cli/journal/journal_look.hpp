#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/journal/journal_place.hpp"
#include "cli/journal_backlog.hpp"

namespace segue::cli {

// What a journal's folder holds, as one look found it; a gateway may change it meanwhile.

struct LaneLook {
  std::uint32_t lane = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t first = 0;  // lane_sequence of the oldest frame that is there; 0: none is
  std::uint64_t last = 0;
};

struct RunLook {
  std::string run;
  enum class State : std::uint8_t { runs, sealed, dead } state = State::dead;  // dead: not sealed
  std::vector<LaneLook> lanes;
  std::vector<std::string> configured;  // consumers of its gateway

  std::uint64_t segments() const;
  std::uint64_t bytes() const;
};

struct ConsumerLook {
  enum class Standing : std::uint8_t {
    configured,  // of a gateway that runs, or of the configuration
    registered,  // by itself
    former,      // only its cursors are left; nothing is kept for it
  };
  std::string name;
  Standing standing = Standing::former;
  bool runs = false;  // a registered one: a process of it does
  std::vector<RunBacklog> backlog;
  std::string trouble;  // why the backlog is not known; empty: it is

  std::uint64_t records() const;
  std::uint64_t bytes() const;
  std::int64_t oldest_unix_micros() const;  // 0: nothing waits
};

struct JournalLook {
  std::vector<RunLook> runs;
  std::vector<ConsumerLook> consumers;
  std::vector<std::string> damage;  // headers of segments that cannot be read
};

// Takes no lock and holds nothing back. Throws StartupError for a folder that cannot be read.
JournalLook look_at_journal(const JournalPlace& place);

}  // namespace segue::cli
