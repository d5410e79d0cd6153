#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "exchange/id.hpp"
#include "recorder/journal/format.hpp"
#include "recorder/settings.hpp"

namespace segue::recorder {

// What became of one lane so far. Single writer (the lane's core, or the keeper for its part);
// any thread may read.
struct LaneCounters;

// Which room an append may use. An intent reserves room for its exchange without bodies, so that
// `refuse` never strikes after the backend has written.
enum class Room : std::uint8_t { free, reserved };

// One core's end of the journal. Owned by its Journal; used by one thread only. Never blocks and
// makes no system call on the usual path; a late keeper costs a page fault or a synchronous
// segment switch, both counted.
class Lane {
 public:
  // Room for a frame of exactly `payload_bytes`, in the map: fill it, then commit(). Fails with
  // at_fault journal when there is no room; nothing is changed then. One open frame at a time;
  // beginning another discards the one that was not committed.
  Result<std::span<char>> begin(FrameKind kind, std::size_t payload_bytes, Room room = Room::free);
  // CRC, header, end mark, then the length word (release): from here on a crash of the process
  // loses nothing.
  void commit() noexcept;

  // Keeps `bytes` aside for the exchange of an intent; given back by release().
  Result<void> reserve(std::size_t bytes);
  void release(std::size_t bytes) noexcept;

  // The intent of `id` was committed as the last frame / has its exchange now. Open intents are
  // appended again before their segment is recycled.
  void intent_opened(const ExchangeId& id) noexcept;
  void intent_closed(const ExchangeId& id) noexcept;

  // The largest payload a frame may have: half a segment.
  std::size_t max_payload() const noexcept;
};

// The journal of one process: a run folder under the directory, its lock, one lane a core, and
// the keeper thread. Made at start, ended after the last lane's user is gone; ending it seals
// the segments. Throws StartupError with one clear line: cannot create or write the folder, not
// enough space, segments too small for the bodies.
class Journal {
 public:
  // `largest_payload`: twice bodies.max with heads. Dead runs are recovered (open intents become
  // INTERRUPTED exchanges) and sealed first, under their lock.
  Journal(const JournalSettings& settings, unsigned lanes, std::size_t largest_payload);
  ~Journal();

  Lane& lane(unsigned index);
};

}  // namespace segue::recorder
