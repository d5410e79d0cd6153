#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/error.hpp"
#include "recorder/journal/damage.hpp"
#include "recorder/journal/format.hpp"

namespace segue::recorder {

// One frame as it was read; `payload` is valid until the next call of next().
struct Frame {
  FrameKind kind;
  std::string_view run;         // folder name of the run
  std::uint32_t lane;
  std::uint64_t lane_sequence;
  std::int64_t commit_ns;       // monotonic clock of the boot the run belongs to
  std::string_view payload;     // protobuf segue.v1.Exchange
};

struct ReadOptions {
  // Segments that ended before this (Unix microseconds) are skipped; frames before it may still
  // come from the first one that is not.
  std::int64_t since = 0;
  // Start with the last N segments of each lane only; 0: all.
  unsigned last_segments = 0;
  // Show intents too. Otherwise only EXCHANGE and FINISH frames come, and at the end of a dead
  // run's lane its open intents, as EXCHANGE frames with outcome INTERRUPTED.
  bool intents = false;
  // Name of the only run that is read; empty: all.
  std::string run{};
  // How far each lane is known already: frames up to this lane_sequence may be left out, whole
  // segments of them unread (those of a run that is dead and not sealed come all the same). 0: all.
  std::function<std::uint64_t(std::string_view run, std::uint32_t lane)> behind{};
};

// Reads a journal folder in causal order (runs of one boot merged by commit_ns with watermarks),
// with pread, also while a gateway writes it; never holds a segment back. One thread.
class JournalReader {
 public:
  // Fails when the folder cannot be read or is no journal.
  static Result<std::unique_ptr<JournalReader>> open(const std::filesystem::path& directory,
                                                     const ReadOptions& options);
  ~JournalReader();

  // The next frame, or nullopt: nothing more for now. Call again later to follow.
  Result<std::optional<Frame>> next();

  // What was found damaged since open, in the order it was met.
  const std::vector<Damage>& damage() const noexcept;

 private:
  struct State;
  explicit JournalReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Why open() failed, in one line for a person: what lies there instead of a journal, and what to give.
std::string why_unopened(const std::filesystem::path& directory, const Error& error);

}  // namespace segue::recorder
