#include "warehouse/archive/journal_records.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "recorder/journal/consumers.hpp"
#include "recorder/journal/reader.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/journal/run_folder.hpp"
#include "warehouse/archive/destination.hpp"
#include "warehouse/archive/journal_lane.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;
using recorder::Cursor;
using recorder::Damage;
using recorder::RunLife;

// What is about to be claimed: a run that a power cut shortened goes on behind it.
constexpr const char* kClaimed = "archiver.claimed";
Cursor cursor_at(std::uint32_t lane, std::uint64_t position) {
  Cursor cursor;
  cursor.lanes[lane] = position;
  return cursor;
}

struct Run {
  std::string name;
  fs::path path;
  std::optional<std::string> instance;
  std::vector<std::uint32_t> lanes;  // that have frames
  RunLife life = RunLife::alive;     // also of one that is dead and cannot be sealed
  Cursor ends;                       // of a sealed one
};

// "<run>-<lane>".
std::optional<std::pair<std::string, std::uint32_t>> parse_partition(std::string_view text) {
  const std::size_t dash = text.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(dash + 1);
  std::uint32_t lane = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), lane);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return std::pair(std::string(text.substr(0, dash)), lane);
}

}  // namespace

struct JournalRecords::State {
  void look_around();
  void keep_up(Run& run);
  void find_end(Run& run);
  void seal(Run& run);
  void meet(Run& run);
  void register_where_unknown();
  void settle();
  bool may_move_cursors() const;
  void begin_behind_cursors(Archive& archive);
  Run* find(const Chain& chain, std::uint32_t& lane);
  LaneScan& scan(const Chain& chain, const Run& run, std::uint32_t lane, std::uint64_t next);
  std::string why_lost(const LaneScan& scan, std::uint64_t until) const;
  void tell_once(const std::string& what) {
    if (told.insert(what).second) tell(what);
  }

  Role role = Role::service;
  std::optional<Destination> into{};  // none: nobody said
  fs::path directory;
  std::string name;
  std::function<void(const std::string&)> tell;
  std::set<std::string> told;
  bool place_is_said = false;
  std::map<std::string, Run> runs;
  std::map<Chain, LaneScan> scans;
  std::optional<recorder::ConsumerLease> lease;
};

void JournalRecords::State::look_around() {
  const auto found = recorder::find_runs(directory);
  if (!found)
    throw StartupError(fmt::format("{}: {}", name, describe(found.error())));
  std::erase_if(runs, [&](const auto& run) {
    return !std::binary_search(found->begin(), found->end(), run.first);
  });
  for (const std::string& run : *found) {
    const auto [at, added] = runs.try_emplace(run);
    if (added) {
      at->second.name = run;
      at->second.path = directory / run;
    }
    keep_up(at->second);
  }
  if (into) settle();
  if (role == Role::service) register_where_unknown();
}

void JournalRecords::State::keep_up(Run& run) {
  if (run.life != RunLife::sealed) find_end(run);
  meet(run);
}

// The lock is asked first: a run is sealed under it.
void JournalRecords::State::find_end(Run& run) {
  const bool locked = recorder::run_is_locked(run.path);
  if (recorder::run_is_sealed(run.path)) {
    auto ends = recorder::load_sealed(run.path);
    if (ends) {
      run.ends = std::move(*ends);
      run.life = RunLife::sealed;
      return;
    }
    if (ends.error().code.value() != EBADMSG)
      return tell_once(fmt::format("{}: {}", run.path.string(), describe(ends.error())));
  }
  if (!locked && role != Role::onlooker) seal(run);
}

// Somebody else may be at it: then the next look finds it.
void JournalRecords::State::seal(Run& run) {
  const auto lock = recorder::RunLock::take(run.path);
  if (!lock && lock.error().code.value() == EAGAIN) return;
  const auto report = lock ? recorder::seal_run(run.path) : lock.error();
  if (!report)
    return tell_once(fmt::format("{}: {}; what was interrupted there is archived when a gateway "
                                 "has sealed it",
                                 run.path.string(), describe(report.error())));
  for (const Damage& damage : report->damage) tell_once(text_of(damage));
  auto ends = recorder::load_sealed(run.path);
  if (!ends) return;
  run.ends = std::move(*ends);
  run.life = RunLife::sealed;
}

// Its instance, and the lanes that have anything: the others are no chains yet.
void JournalRecords::State::meet(Run& run) {
  const auto lanes = recorder::find_lanes(run.path);
  if (!lanes) return tell_once(fmt::format("{}: {}", run.path.string(), describe(lanes.error())));
  for (const std::uint32_t lane : *lanes) {
    if (std::ranges::find(run.lanes, lane) != run.lanes.end()) continue;
    for (const std::uint64_t sequence : recorder::list_segments(run.path, lane)) {
      if (!first_in(run.path, lane, sequence)) continue;
      if (!run.instance)
        run.instance = instance_in(recorder::segment_path(run.path, lane, sequence));
      run.lanes.push_back(lane);
      break;
    }
  }
  for (auto lane = run.lanes.begin(); !run.instance && lane != run.lanes.end(); ++lane)
    for (const std::uint64_t sequence : recorder::list_segments(run.path, *lane))
      if (!run.instance)
        run.instance = instance_in(recorder::segment_path(run.path, *lane, sequence));
}

// A gateway that is configured for an archiver keeps what it needs. Where none runs the last one
// tells how the next will be.
void JournalRecords::State::register_where_unknown() {
  if (lease) return;
  std::vector<const Run*> running;
  for (const auto& [run_name, run] : runs)
    if (run.life != RunLife::sealed && recorder::run_is_locked(run.path)) running.push_back(&run);
  if (running.empty() && !runs.empty()) running.push_back(&runs.rbegin()->second);
  const bool unknown = std::ranges::any_of(running, [](const Run* run) {
    const auto configured = recorder::configured_consumers(run->path);
    return !configured || std::ranges::find(*configured, kArchiverConsumer) == configured->end();
  });
  if (!unknown) return;
  const auto before = recorder::registered_consumers(directory);
  auto taken = recorder::ConsumerLease::take(directory, kArchiverConsumer);
  if (!taken)
    return tell_once(fmt::format(
        "{}: {}; the gateway may overwrite what is not archived yet", name,
        describe(taken.error())));
  lease.emplace(std::move(*taken));
  const bool known = before && std::ranges::find(*before, kArchiverConsumer) != before->end();
  if (known) return;
  tell(fmt::format("{}: registered as its consumer '{}': what is recorded from now on stays there "
                   "until it is archived, also while no archiver runs; to end that: seguectl "
                   "journal drop-consumer {} {} --yes",
                   name, kArchiverConsumer, kArchiverConsumer, name));
}

// The folder of a journal that is not mounted has no run: it is left alone.
void JournalRecords::State::settle() {
  auto its = find_destination(directory);
  if (!its && runs.empty()) return;
  if (its && its->archive != into->archive) throw not_its_archive(directory, *its, *into);
  if (its && place_is_said) return;
  try {
    its = settle_destination(directory, *into);
  } catch (const StorageError& error) {
    return tell_once(fmt::format("{}; its segments stay", error.what()));
  }
  if (its->archive != into->archive) throw not_its_archive(directory, *its, *into);
  if (its->place != into->place)
    tell(
        fmt::format("{}: its archive {} was {} until now, and is {}; if both are there one is a "
                    "copy, and lacks what the other gets from now on",
                    name, its->archive, its->place, into->place));
  place_is_said = true;
}

// Somebody may have said meanwhile that it is another one, or nobody could write which it is.
bool JournalRecords::State::may_move_cursors() const {
  if (!into) return true;
  const auto its = find_destination(directory);
  return its && its->archive == into->archive;
}

// A cursor that cannot be read stands at 0, and so does a chain that nobody archived.
void JournalRecords::State::begin_behind_cursors(Archive& archive) {
  for (const auto& [run_name, run] : runs) {
    const auto cursor = recorder::load_cursor(run.path, kArchiverConsumer);
    if (!cursor || !run.instance) continue;
    for (const std::uint32_t lane : run.lanes) {
      const Chain chain{*run.instance, fmt::format("{}-{}", run_name, lane)};
      if (cursor->position(lane) > 0) archive.start_chain(chain, cursor->position(lane) + 1);
    }
  }
}

Run* JournalRecords::State::find(const Chain& chain, std::uint32_t& lane) {
  const auto parsed = parse_partition(chain.partition);
  if (!parsed) return nullptr;
  const auto run = runs.find(parsed->first);
  if (run == runs.end()) return nullptr;
  lane = parsed->second;
  return &run->second;
}

LaneScan& JournalRecords::State::scan(const Chain& chain, const Run& run, std::uint32_t lane,
                                      std::uint64_t next) {
  const auto known = scans.find(chain);
  if (known != scans.end() && !known->second.stale && known->second.track.behind < next)
    return known->second;
  if (known != scans.end()) scans.erase(known);
  return scans.try_emplace(chain, run.path, run.name, lane, next).first->second;
}

std::string JournalRecords::State::why_lost(const LaneScan& scan, std::uint64_t until) const {
  if (until == 0) return "it is missing at the end of its run";
  for (const Damage& damage : scan.damage)
    if (damage.what != "frames are missing before this one" &&
        damage.what != "segment was recycled while it was read")
      return fmt::format("the journal is damaged: {}", text_of(damage));
  return "the journal's ring overwrote it before it was archived";
}

namespace {

// Of a run that was removed.
class NoRecords : public RecordReader {
 public:
  std::optional<SourceRecord> next() override { return std::nullopt; }
};

}  // namespace

JournalRecords::JournalRecords(fs::path directory, std::function<void(const std::string&)> tell,
                               Role role)
    : state_(std::make_unique<State>()) {
  state_->role = role;
  state_->name = "journal:" + directory.string();
  state_->directory = std::move(directory);
  state_->tell = std::move(tell);
  if (const auto reader = recorder::JournalReader::open(state_->directory, {}); !reader)
    throw StartupError(recorder::why_unopened(state_->directory, reader.error()));
}

JournalRecords::~JournalRecords() = default;

const std::string& JournalRecords::name() const { return state_->name; }

std::vector<Chain> JournalRecords::chains() {
  state_->look_around();
  std::vector<Chain> chains;
  for (const auto& [name, run] : state_->runs) {
    if (!run.instance) continue;
    for (const std::uint32_t lane : run.lanes)
      chains.push_back({*run.instance, fmt::format("{}-{}", name, lane)});
  }
  std::erase_if(state_->scans, [&](const auto& scan) {
    return std::ranges::find(chains, scan.first) == chains.end();
  });
  return chains;
}

bool JournalRecords::is_gone(const Chain& chain) const {
  const auto parsed = parse_partition(chain.partition);
  if (!parsed || !recorder::is_run_name(parsed->first) || state_->runs.contains(parsed->first))
    return false;
  return std::ranges::any_of(
      state_->runs, [&](const auto& run) { return run.second.instance == chain.topic; });
}

std::uint64_t JournalRecords::first(const Chain&) { return 1; }

std::optional<Waiting> JournalRecords::waiting(const Chain& chain, std::uint64_t next) {
  std::uint32_t lane = 0;
  Run* const run = state_->find(chain, lane);
  if (run == nullptr) return std::nullopt;
  const bool sealed = run->life == RunLife::sealed;
  if (sealed && next > run->ends.position(lane)) {
    state_->scans.erase(chain);
    return std::nullopt;
  }
  LaneScan& scan = state_->scan(chain, *run, lane, next);
  scan.track.end = run->ends.position(lane);
  scan.look_ahead(run->life);
  for (const Damage& damage : scan.damage) state_->tell_once(text_of(damage));
  scan.drop_before(next);
  // To look ahead takes time, in which a ring goes on.
  if (!sealed) scan.drop_before(first_in(run->path, lane).value_or(next));
  const bool nothing = scan.spans.empty();
  if (nothing && !scan.track.finished) return std::nullopt;
  // A claim for each flush in which requests only began would be one without rows.
  if (!sealed && scan.has_intents_only()) return std::nullopt;
  const std::uint64_t end = run->ends.position(lane) + 1;  // of a sealed run
  Waiting waiting{.chain = chain,
                  .lost_from = next,
                  .from = nothing ? end : scan.spans.front().first,
                  .to = nothing ? end : scan.spans.front().last + 1,
                  .end = std::max(end, nothing ? end : scan.spans.back().last + 1)};
  if (waiting.from != next)
    waiting.lost_reason = state_->why_lost(scan, nothing ? 0 : waiting.from);
  scan.given_from = waiting.from;
  scan.given_to = waiting.to;
  return waiting;
}

std::unique_ptr<RecordReader> JournalRecords::read(const Chain& chain, std::uint64_t from,
                                                   std::uint64_t to) {
  std::uint32_t lane = 0;
  const Run* const run = state_->find(chain, lane);
  if (run == nullptr) return std::make_unique<NoRecords>();
  const auto scan = state_->scans.find(chain);
  const bool given = scan != state_->scans.end() && from >= scan->second.given_from &&
                     to <= scan->second.given_to;
  if (given) {
    const auto noted = recorder::advance_cursor(run->path, kClaimed,
                                                cursor_at(lane, to - 1), recorder::Sync::yes);
    if (!noted && noted.error().code.value() != ENOENT)
      state_->tell_once(fmt::format("{}: {}", run->path.string(), describe(noted.error())));
  }
  const LaneRange::Place place{run->path, run->name, lane, run->life, run->ends.position(lane)};
  return std::make_unique<LaneRange>(place, from, to, given ? &scan->second.stale : nullptr);
}

void JournalRecords::archived(const Chain& chain, std::uint64_t next) {
  std::uint32_t lane = 0;
  const Run* const run = state_->find(chain, lane);
  if (run == nullptr || next == 0 || !state_->may_move_cursors()) return;
  const auto moved = recorder::advance_cursor(run->path, kArchiverConsumer,
                                              cursor_at(lane, next - 1), recorder::Sync::yes);
  if (!moved && moved.error().code.value() != ENOENT)
    state_->tell_once(fmt::format("{}: {}; its segments stay", run->path.string(),
                                  describe(moved.error())));
}

void JournalRecords::goes_into(const Archive& archive) {
  state_->into = destination_of(archive);
}

void JournalRecords::switch_to(Archive& archive, Switch what) {
  const Destination wanted = destination_of(archive);
  const auto its = find_destination(state_->directory);
  if (!its || its->archive != wanted.archive) {
    state_->look_around();
    if (what == Switch::rest) state_->begin_behind_cursors(archive);
    change_destination(state_->directory, wanted);
  }
  goes_into(archive);
}

// Nothing tells of records that another process makes. A signal ends it early.
void JournalRecords::wait(std::chrono::milliseconds most) {
  ::poll(nullptr, 0, static_cast<int>(std::clamp<std::int64_t>(most.count(), 0, 3'600'000)));
}

}  // namespace segue::warehouse
