#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/damage.hpp"
#include "recorder/journal/reader.hpp"

namespace segue::recorder {

class Journal;

// A frame in a consumer's hands.
struct ConsumedFrame {
  Frame frame;              // EXCHANGE or FINISH; valid until the next call of next()
  std::uint32_t run = 0;    // number of the run within this consumer, for done()
  bool own_run = false;     // of the journal's own run; otherwise it was left by a dead process,
                            // which may have delivered it without having stored its cursor
};

// How much a consumer has before it.
struct ConsumerLag {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;      // of frames; an estimate within a segment
  std::int64_t oldest_ns = 0;   // age of the oldest record that is not done; 0: none
};

// Reads what one consumer has not passed yet, and keeps its cursors: first the dead runs of the
// folder, each under its lock and sealed, in the order they began (a run that another process has
// locked is that process's business), then the journal's own run as it grows; a run whose process
// dies later is taken when it is noticed. Frames come in causal order within a run's boot; intents
// do not come, open intents of dead runs come as INTERRUPTED exchanges.
//
// One thread. The journal must outlive it, and must list `name` among its consumers, or segments
// may be recycled before they are read (then a gap is counted, never an end).
class JournalConsumer {
 public:
  JournalConsumer(Journal& journal, std::string name);
  ~JournalConsumer();
  JournalConsumer(const JournalConsumer&) = delete;
  JournalConsumer& operator=(const JournalConsumer&) = delete;

  // The next frame, or nullopt: nothing more for now; call again later.
  Result<std::optional<ConsumedFrame>> next();

  // A frame that next() gave is dealt with. Any order; a cursor passes a frame when it and all
  // before it in its lane are done. Intents and what the merge leaves out are passed on the way.
  void done(std::uint32_t run, std::uint32_t lane, std::uint64_t lane_sequence);

  // Forgets what was given but is not done: next() begins again behind the cursors.
  void rewind();

  // Writes cursors that moved; a dead run that is done with is let go of, so that the journal can
  // remove it. Without force_sync::yes the files are replaced atomically but not synced: after a
  // crash of the process they stand, after a power cut they may be older.
  enum class Sync : std::uint8_t { no, yes };
  Result<void> store(Sync sync);

  // Called by done() with a lane of the own run and how far it is done without a hole.
  void on_progress(std::function<void(std::uint32_t lane, std::uint64_t lane_sequence)> report);

  ConsumerLag lag() const;
  // Frames that were overwritten or damaged before they were read.
  std::uint64_t lost_frames() const noexcept;
  const std::vector<Damage>& damage() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::recorder
