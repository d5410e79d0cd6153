#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/damage.hpp"
#include "recorder/journal/reader.hpp"

namespace segue::recorder {

class Journal;

// A frame in a consumer's hands.
struct ConsumedFrame {
  Frame frame;              // EXCHANGE or FINISH; valid until next() or rewind() is called
  std::uint32_t run = 0;    // number of the run within this consumer, for done()
  bool own_run = false;     // of the journal's own run; otherwise it was left by a dead process,
                            // which may have delivered it without having stored its cursor
};

// How much a consumer has before it.
struct ConsumerLag {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;      // of frames; an estimate, from what a frame of the lane has on average
  std::int64_t oldest_ns = 0;   // age of the oldest record that is not done; 0: none; of what was
                                // not read yet only how old it is at most
};

// Reads what one consumer has not passed yet, and keeps its cursors: the dead runs of the folder,
// each under its lock and sealed (a run that another process has locked is that process's
// business), and the journal's own run as it grows; a run whose process dies later is taken when it
// is noticed, within a second. Frames come in causal order within a boot, older boots first; what a
// dead run that is noticed late committed comes late. Intents do not come, open intents of dead
// runs come as INTERRUPTED exchanges. While it has a dead run nobody else consumes it, and its
// segments stay.
//
// One thread. The journal must outlive it, and must list `name` among its consumers, or segments
// may be recycled before they are read (then a gap is counted, never an end).
class JournalConsumer {
 public:
  // A dead run that cannot be sealed or read (the disk is ill, no descriptor is left) is tried again
  // after `retry`.
  JournalConsumer(Journal& journal, std::string name,
                  std::chrono::milliseconds retry = std::chrono::seconds{10});
  ~JournalConsumer();
  JournalConsumer(const JournalConsumer&) = delete;
  JournalConsumer& operator=(const JournalConsumer&) = delete;

  // The next frame, or nullopt: nothing more for now; call again later.
  Result<std::optional<ConsumedFrame>> next();

  // A frame that next() gave is dealt with. Any order; a cursor passes a frame when it and all
  // before it in its lane are done. Intents and what the merge leaves out are passed on the way.
  // What was not given, since the last rewind(), is left alone.
  void done(std::uint32_t run, std::uint32_t lane, std::uint64_t lane_sequence);

  // Forgets what was given: next() begins again behind the cursors, so that a frame that was done
  // before one in front of it comes once more.
  void rewind();

  // Writes cursors that moved (some 0.1 ms each on ext4, which allocates at once what is renamed);
  // a dead run that is done with is let go of, and removed when every other consumer has passed it.
  // With Sync::no the files are replaced atomically but not synced: after a crash of the process they
  // stand, after a power cut they may be older. What fails is written by the next call.
  using Sync = recorder::Sync;
  Result<void> store(Sync sync);

  // Called by done() with a lane of the own run and how far it is done without a hole.
  void on_progress(std::function<void(std::uint32_t lane, std::uint64_t lane_sequence)> report);

  ConsumerLag lag() const;
  // Dead runs that are not read because they cannot be sealed or opened, now; lag() knows nothing of
  // what they hold. damage() says why, once a run.
  std::size_t unreadable_runs() const noexcept;
  // Frames that were overwritten or damaged before they were read. What is missing before the first
  // frame of a run whose cursor may be too old is not among them.
  std::uint64_t lost_frames() const noexcept;
  const std::vector<Damage>& damage() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::recorder
