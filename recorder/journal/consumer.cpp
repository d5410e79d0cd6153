#include "recorder/journal/consumer.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "exchange/ensure.hpp"
#include "recorder/journal/causal_merge.hpp"
#include "recorder/journal/journal.hpp"
#include "recorder/journal/recovery.hpp"
#include "runtime/clock.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

// How often runs are looked for whose processes died meanwhile.
constexpr std::chrono::milliseconds kLookInterval{1000};

// A frame in the consumer's hands.
struct Given {
  std::uint64_t lane_sequence;
  std::int64_t commit_ns;
  bool done;
};

// One lane as the consumer sees it.
struct LaneProgress {
  std::deque<Given> given;      // from the first that is not done
  std::uint64_t given_to = 0;   // lane_sequence of the last that was given
  std::uint64_t bytes = 0;      // of a dead run: what its segments take
};

struct ConsumedRun {
  std::uint32_t number = 0;
  bool own = false;
  std::unique_ptr<MergedRun> merged;
  std::map<std::uint32_t, LaneTrack> tracks;
  std::map<std::uint32_t, LaneProgress> lanes;
  std::optional<RunLock> lock;  // of a dead run
  Cursor stored;
  bool synced = true;  // the stored cursor is

  std::uint64_t position(std::uint32_t lane) const;
  std::uint64_t end(std::uint32_t lane) const;
  Cursor positions() const;
  bool is_read() const;
  bool is_done() const;
};

std::uint64_t ConsumedRun::position(std::uint32_t lane) const {
  const LaneProgress& progress = lanes.at(lane);
  if (!progress.given.empty()) return progress.given.front().lane_sequence - 1;
  return std::max(progress.given_to, tracks.at(lane).passed);
}

std::uint64_t ConsumedRun::end(std::uint32_t lane) const {
  const LaneTrack& track = tracks.at(lane);
  return track.committed != nullptr ? track.committed->value() : track.end;
}

Cursor ConsumedRun::positions() const {
  Cursor cursor;
  for (const auto& [lane, progress] : lanes)
    if (const std::uint64_t at = position(lane); at > 0) cursor.lanes[lane] = at;
  return cursor;
}

bool ConsumedRun::is_read() const {
  return std::all_of(tracks.begin(), tracks.end(),
                     [](const auto& track) { return track.second.finished; });
}

bool ConsumedRun::is_done() const {
  return std::all_of(lanes.begin(), lanes.end(),
                     [&](const auto& lane) { return position(lane.first) >= end(lane.first); });
}

// For the lag, an estimate.
std::uint64_t lane_bytes(const fs::path& run, std::uint32_t lane) {
  std::uint64_t bytes = 0;
  for (const std::uint64_t sequence : list_segments(run, lane)) {
    std::error_code error;
    const auto size = fs::file_size(segment_path(run, lane, sequence), error);
    if (!error) bytes += size;
  }
  return bytes;
}

}  // namespace

struct JournalConsumer::State {
  State(Journal& of, std::string with_name, std::chrono::milliseconds retry_after)
      : journal(of), name(std::move(with_name)), retry(retry_after) {
    begin_merge();
    take_own_run();
  }

  void begin_merge();
  void take_own_run();
  void take_dead_runs();
  bool is_due(const std::string& run) const;
  Result<bool> take_dead_run(const fs::path& path);
  Result<Cursor> seal(const fs::path& path);
  ConsumedRun& add_run(std::unique_ptr<MergedRun> merged, const std::vector<std::uint32_t>& lanes,
                       const Cursor& cursor);
  void refuse(const std::string& run, const Error& error);
  void let_go_of_done();
  void look_around();
  void note(const fs::path& path, const Error& error) {
    damage.push_back({path, 0, 0, describe(error)});
  }
  std::int64_t age(const ConsumedRun& run, std::int64_t commit_ns) const;
  void add_lag(const ConsumedRun& run, std::uint32_t lane, ConsumerLag& lag) const;

  Journal& journal;
  const std::string name;
  const std::chrono::milliseconds retry;
  std::vector<Damage> damage;
  std::map<std::uint32_t, std::unique_ptr<ConsumedRun>> runs;  // by number
  std::map<const MergedRun*, ConsumedRun*> by_merged;
  std::uint32_t next_number = 0;
  // Dead runs that could not be sealed or read, which is told once, and when they are tried again.
  std::map<std::string, std::int64_t> unreadable;
  std::uint64_t missing_in_former = 0;  // of runs that were let go of
  std::int64_t next_look_ns = 0;
  std::function<void(std::uint32_t, std::uint64_t)> report;
  std::optional<CausalMerge> merge;
};

void JournalConsumer::State::begin_merge() {
  merge.emplace(ReadOptions{}, damage, [this]() -> Result<void> {
    look_around();
    return {};
  });
}

ConsumedRun& JournalConsumer::State::add_run(std::unique_ptr<MergedRun> merged,
                                             const std::vector<std::uint32_t>& lanes,
                                             const Cursor& cursor) {
  auto run = std::make_unique<ConsumedRun>();
  run->number = next_number++;
  run->merged = std::move(merged);
  run->merged->tracks = &run->tracks;
  run->stored = cursor;
  for (const std::uint32_t lane : lanes) {
    const std::uint64_t at = cursor.position(lane);
    run->tracks[lane].behind = at;
    run->tracks[lane].passed = at;
    run->lanes[lane].given_to = at;
  }
  ConsumedRun& added = *run;
  by_merged.emplace(added.merged.get(), &added);
  runs.emplace(added.number, std::move(run));
  return added;
}

// All its headers are damaged: the reader tells. Of the own run also: none can be opened now.
std::unique_ptr<MergedRun> unknown_run(const fs::path& path) {
  auto run = std::make_unique<MergedRun>();
  run->name = path.filename().string();
  run->path = path;
  return run;
}

// A cursor that cannot be read stands at the beginning: what is read twice is better than lost.
void JournalConsumer::State::take_own_run() {
  auto met = MergedRun::meet(journal.run());
  std::unique_ptr<MergedRun> merged =
      met && *met ? std::move(*met) : unknown_run(journal.run());
  merged->boot = current_boot();
  // Another consumer of this name in this process, which has ended, may have been here.
  auto cursor = load_cursor(journal.run(), name);
  if (!cursor) {
    note(journal.run(), cursor.error());
    cursor = Cursor{};
  }
  std::vector<std::uint32_t> lanes;
  for (std::uint32_t lane = 0; lane < journal.lanes(); ++lane) lanes.push_back(lane);
  ConsumedRun& run = add_run(std::move(merged), lanes, *cursor);
  run.own = true;
  for (auto& [lane, track] : run.tracks)
    track.committed = &journal.lane(lane).counters().frames;
  merge->add(*run.merged);
}

void JournalConsumer::State::take_dead_runs() {
  const fs::path& directory = journal.settings().directory;
  const std::string own = journal.run().filename().string();
  const auto found = find_runs(directory);
  if (!found) return;  // the next look may tell more
  std::erase_if(unreadable, [&](const auto& run) {
    return !std::binary_search(found->begin(), found->end(), run.first);
  });
  bool passed = false;
  for (const std::string& run : *found) {
    if (run == own || !is_due(run)) continue;
    const auto taken = take_dead_run(directory / run);
    if (!taken) {
      refuse(run, taken.error());
      continue;
    }
    unreadable.erase(run);
    if (*taken) passed = true;
  }
  if (passed) journal.look_around();
}

bool JournalConsumer::State::is_due(const std::string& run) const {
  const bool taken = std::any_of(runs.begin(), runs.end(), [&](const auto& known) {
    return known.second->merged->name == run;
  });
  const auto refused = unreadable.find(run);
  return !taken && (refused == unreadable.end() || runtime::monotonic_now() >= refused->second);
}

void JournalConsumer::State::refuse(const std::string& run, const Error& error) {
  const fs::path path = journal.settings().directory / run;
  std::error_code unknown;
  if (!fs::exists(path, unknown) && !unknown) return;  // removed meanwhile
  const std::int64_t again = runtime::after(runtime::monotonic_now(), retry);
  if (unreadable.insert_or_assign(run, again).second) note(path, error);
}

// Under its lock; where each lane of it ends. A seal that cannot be read is made again.
Result<Cursor> JournalConsumer::State::seal(const fs::path& path) {
  if (run_is_sealed(path)) {
    auto ends = load_sealed(path);
    if (ends || ends.error().code.value() != EBADMSG) return ends;
  }
  auto sealed = seal_run(path);
  if (!sealed) return sealed.error();
  std::move(sealed->damage.begin(), sealed->damage.end(), std::back_inserter(damage));
  return load_sealed(path);
}

// True: this consumer has nothing to do with it any more. Fails when it cannot be sealed or read.
Result<bool> JournalConsumer::State::take_dead_run(const fs::path& path) {
  auto lock = RunLock::take(path);
  if (!lock && lock.error().code.value() == EAGAIN) return false;  // somebody else's
  if (!lock) return lock.error();
  const auto ends = seal(path);
  if (!ends) return ends.error();
  auto cursor = load_cursor(path, name);
  const bool is_cursor = cursor || cursor.error().code.value() == EBADMSG;
  if (!is_cursor) return cursor.error();
  if (!cursor) {
    note(path, cursor.error());
    cursor = Cursor{};
  }
  std::vector<std::uint32_t> lanes;
  bool passed = true;
  for (const auto& [lane, end] : ends->lanes) {
    lanes.push_back(lane);
    if (cursor->position(lane) < end) passed = false;
  }
  if (passed) return true;

  auto met = MergedRun::meet(path);
  if (!met) return met.error();
  ConsumedRun& run = add_run(*met ? std::move(*met) : unknown_run(path), lanes, *cursor);
  run.lock.emplace(std::move(*lock));
  run.merged->life = RunLife::sealed;
  // A power cut may have taken the cursor back, or taken it.
  const bool exact = run.merged->boot == current_boot() && !cursor->lanes.empty();
  for (auto& [lane, track] : run.tracks) {
    track.end = ends->position(lane);
    track.begins_anywhere = !exact;
    run.lanes[lane].bytes = lane_bytes(path, lane);
  }
  merge->add(*run.merged);
  return false;
}

// A run may go when the merge has read it, all of it is done, and that is stored.
void JournalConsumer::State::let_go_of_done() {
  const auto finished = [](const ConsumedRun& run) {
    return !run.own && run.is_read() && run.is_done() && run.stored.lanes == run.positions().lanes;
  };
  bool any = false;
  for (auto at = runs.begin(); at != runs.end();) {
    if (!finished(*at->second)) {
      ++at;
      continue;
    }
    for (const auto& [lane, track] : at->second->tracks) missing_in_former += track.missing;
    by_merged.erase(at->second->merged.get());
    at = runs.erase(at);
    any = true;
  }
  if (any) journal.look_around();
}

void JournalConsumer::State::look_around() {
  const std::int64_t now = runtime::monotonic_now();
  if (now < next_look_ns) return;
  next_look_ns = runtime::after(now, kLookInterval);
  take_dead_runs();
}

JournalConsumer::JournalConsumer(Journal& journal, std::string name,
                                 std::chrono::milliseconds retry)
    : state_(std::make_unique<State>(journal, std::move(name), retry)) {}

JournalConsumer::~JournalConsumer() = default;

Result<std::optional<ConsumedFrame>> JournalConsumer::next() {
  auto merged = state_->merge->next();
  if (!merged) return merged.error();
  if (!*merged) return std::optional<ConsumedFrame>();
  const Frame& frame = (*merged)->frame;
  ConsumedRun& run = *state_->by_merged.at((*merged)->run);
  LaneProgress& lane = run.lanes.at(frame.lane);
  lane.given.push_back({frame.lane_sequence, frame.commit_ns, false});
  lane.given_to = frame.lane_sequence;
  return std::optional<ConsumedFrame>(ConsumedFrame{frame, run.number, run.own});
}

void JournalConsumer::done(std::uint32_t run, std::uint32_t lane, std::uint64_t lane_sequence) {
  const auto of = state_->runs.find(run);
  if (of == state_->runs.end()) return;
  const auto at = of->second->lanes.find(lane);
  if (at == of->second->lanes.end()) return;
  std::deque<Given>& given = at->second.given;
  const auto frame = std::lower_bound(
      given.begin(), given.end(), lane_sequence,
      [](const Given& one, std::uint64_t sequence) { return one.lane_sequence < sequence; });
  if (frame == given.end() || frame->lane_sequence != lane_sequence) return;
  frame->done = true;
  if (frame != given.begin()) return;
  while (!given.empty() && given.front().done) given.pop_front();
  if (of->second->own && state_->report) state_->report(lane, of->second->position(lane));
}

void JournalConsumer::rewind() {
  for (auto& [number, run] : state_->runs) {
    for (auto& [lane, progress] : run->lanes) {
      LaneTrack& track = run->tracks.at(lane);
      track.behind = track.passed = run->position(lane);
      track.finished = false;
      progress.given.clear();
      progress.given_to = track.behind;
    }
  }
  state_->begin_merge();
  for (auto& [number, run] : state_->runs) state_->merge->add(*run->merged);
}

// A run that fails does not keep the others from being stored.
Result<void> JournalConsumer::store(Sync sync) {
  Result<void> all;
  for (auto& [number, run] : state_->runs) {
    Cursor cursor = run->positions();
    if (cursor.lanes == run->stored.lanes && (run->synced || sync == Sync::no)) continue;
    if (auto stored = store_cursor(run->merged->path, state_->name, cursor, sync); !stored) {
      all = stored;
      continue;
    }
    run->stored = std::move(cursor);
    run->synced = sync == Sync::yes;
  }
  state_->let_go_of_done();
  return all;
}

void JournalConsumer::on_progress(
    std::function<void(std::uint32_t lane, std::uint64_t lane_sequence)> report) {
  state_->report = std::move(report);
}

// Of a run of this boot by its clock; of another by what the wall clock was when the run began.
std::int64_t JournalConsumer::State::age(const ConsumedRun& run, std::int64_t commit_ns) const {
  const MergedRun& merged = *run.merged;
  const std::int64_t now =
      merged.boot == current_boot()
          ? runtime::monotonic_now()
          : runtime::unix_micros_now() * 1000 - merged.began_unix_ns + merged.began_ns;
  return std::max<std::int64_t>(1, now - commit_ns);
}

void JournalConsumer::State::add_lag(const ConsumedRun& run, std::uint32_t lane,
                                     ConsumerLag& lag) const {
  const LaneProgress& progress = run.lanes.at(lane);
  const std::uint64_t end = run.end(lane);
  const std::uint64_t position = run.position(lane);
  if (position >= end) return;
  const std::uint64_t records = end - position;
  const std::uint64_t bytes =
      run.own ? journal.lane(lane).counters().bytes.value() : progress.bytes;
  lag.records += records;
  lag.bytes += static_cast<std::uint64_t>(static_cast<double>(bytes) * static_cast<double>(records) /
                                          static_cast<double>(end));
  const std::int64_t since = !progress.given.empty() ? progress.given.front().commit_ns
                             : run.own ? std::max(merge->complete_until(), run.merged->began_ns)
                                       : run.merged->began_ns;
  lag.oldest_ns = std::max(lag.oldest_ns, age(run, since));
}

ConsumerLag JournalConsumer::lag() const {
  ConsumerLag lag;
  for (const auto& [number, run] : state_->runs)
    for (const auto& [lane, progress] : run->lanes) state_->add_lag(*run, lane, lag);
  return lag;
}

std::size_t JournalConsumer::unreadable_runs() const noexcept {
  return state_->unreadable.size();
}

std::uint64_t JournalConsumer::lost_frames() const noexcept {
  std::uint64_t missing = state_->missing_in_former;
  for (const auto& [number, run] : state_->runs)
    for (const auto& [lane, track] : run->tracks) missing += track.missing;
  return missing;
}

const std::vector<Damage>& JournalConsumer::damage() const noexcept { return state_->damage; }

}  // namespace segue::recorder
