#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/file_handle.hpp"

namespace segue::recorder {

// Who consumes a journal. Those that a gateway is configured for stand in its run,
//   DIR/<run>/consumers               one name a line
// for whoever wants to know; the gateway obeys its configuration. Another process registers:
//   DIR/consumers/<name>              locked (shared) while that process lives
//   DIR/<run>/cursors/<name>.begin    where it began to be one, in each run that was there then
// From then on gateways that write in DIR keep what it has not passed, but what was recorded before
// it began goes as it went: in a ring the oldest is overwritten.

inline constexpr const char* kConsumersFolder = "consumers";
// DIR/archive.json: which archive the archiver fills (warehouse/archive/destination.hpp).
inline constexpr const char* kDestinationFile = "archive.json";

// Of a run. Empty also for a run of an older version.
Result<void> say_configured(const std::filesystem::path& run, const std::vector<std::string>& names);
Result<std::vector<std::string>> configured_consumers(const std::filesystem::path& run);

// Sorted. Fails when the folder cannot be read: then nobody knows who is registered.
Result<std::vector<std::string>> registered_consumers(const std::filesystem::path& directory);

// Membership of a process in a consumer; of several processes with one name each has one. Goes with
// the process, the registration does not.
class ConsumerLease {
 public:
  // Registers the consumer where it is not. Its cursors begin where each lane is now.
  static Result<ConsumerLease> take(const std::filesystem::path& directory,
                                    const std::string& name);

 private:
  explicit ConsumerLease(FileHandle file) : file_(std::move(file)) {}
  FileHandle file_;
};

// Whether a process has a lease.
bool consumer_is_leased(const std::filesystem::path& directory, const std::string& name);

// Ends a registration: nothing is kept for it from now on. Its cursors go, too.
Result<void> drop_consumer(const std::filesystem::path& directory, const std::string& name);

// Moves cursors on to where `cursor` is further. Safe while others of the same consumer do it: the
// cursors never go back, and never further than one of them said.
Result<void> advance_cursor(const std::filesystem::path& run, const std::string& consumer,
                            const Cursor& cursor, Sync sync);

// What of a run has been read, and what need not be kept, by all of its consumers.
struct ConsumedTo {
  Cursor passed;  // slowest_cursor() of all of them
  Cursor free;    // the same, where a registered one counts as past what came before it
};
// nullopt: there are no consumers.
std::optional<ConsumedTo> consumed_to(const std::filesystem::path& run,
                                      const std::vector<std::string>& configured,
                                      const std::vector<std::string>& registered,
                                      const std::vector<std::uint32_t>& lanes);

// The last lane_sequence that a lane has; 0: none. Reads its last segment.
Result<std::uint64_t> last_sequence(const std::filesystem::path& run, std::uint32_t lane);

}  // namespace segue::recorder
