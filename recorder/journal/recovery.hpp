#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/damage.hpp"
#include "recorder/journal/open_intents.hpp"

namespace segue::recorder {

// What sealing a run found and did.
struct SealReport {
  std::uint64_t recovered_intents = 0;  // appended as INTERRUPTED exchanges
  std::uint64_t cut_bytes = 0;          // behind the last frame: begun and never committed, or
                                        // left from the former life of a segment that was kept warm
  std::vector<Damage> damage;
  bool empty = true;                    // no frame in any lane
};

// Whether seal_run() was done with it.
bool run_is_sealed(const std::filesystem::path& run);
// Of a sealed run: the last lane_sequence of each lane. Fails with EBADMSG when it has to be sealed
// again: what is there is no seal, or lacks a lane. A lane that was sealed and is gone is ENODATA.
Result<Cursor> load_sealed(const std::filesystem::path& run);

// Ends a run whose lock the caller holds and whose process is gone: every lane's last segment is
// cut behind its last frame, unless frames follow damage in it; segments without frames go; open
// intents are appended as exchanges (their payload says INTERRUPTED) in a segment of their own.
// Fails when the disk does; what was done by then stands, and doing it again is harmless.
Result<SealReport> seal_run(const std::filesystem::path& run);

// Whether every consumer has passed all frames of a sealed run; with no consumers always.
bool run_is_passed(const std::filesystem::path& run, const std::vector<std::string>& configured,
                   const std::vector<std::string>& registered = {});
// The same, where a registered one counts as past what came before it: see consumers.hpp.
bool run_is_free(const std::filesystem::path& run, const std::vector<std::string>& configured,
                 const std::vector<std::string>& registered);

}  // namespace segue::recorder
