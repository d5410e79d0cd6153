#include "recorder/journal/journal.hpp"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "recorder/journal/consumers.hpp"
#include "recorder/journal/keeper.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_pool.hpp"
#include "recorder/journal/syncer.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kSmallestSegment = 16 * kPageBytes;

[[noreturn]] void refuse(const fs::path& directory, const Error& error, const char* advice) {
  throw StartupError(fmt::format("cannot start the journal in {}: {} ({})", directory.string(),
                                 describe(error), advice));
}

const char* advice_for(const Error& error) {
  switch (error.code.value()) {
    case ENOSPC:
    case EDQUOT:
      return "free space on this disk, or lower recorder.journal.max_size or "
             "recorder.journal.segment";
    case EACCES:
    case EPERM:
      return "make it writable by this user, or set recorder.journal.dir";
    case EROFS:
      return "the file system is read-only; set recorder.journal.dir";
    default:
      return "set recorder.journal.dir to a folder on a local disk";
  }
}

// Half of max_size holds two segments a lane, so that a second process fits beside this one.
std::uint64_t segment_size(const JournalSettings& settings, unsigned lanes,
                           std::size_t largest_payload) {
  const std::uint64_t share = settings.max_bytes / 2 / (2 * std::uint64_t{lanes});
  const std::uint64_t size = std::min(settings.segment_bytes, share) / kPageBytes * kPageBytes;
  if (size >= kSmallestSegment && largest_payload_in(size) >= largest_payload) return size;
  throw StartupError(fmt::format(
      "recorder.journal: a segment of {} bytes is too small: twice bodies.max with heads is {} "
      "bytes and must fit in half of it; raise recorder.journal.{}, or lower bodies.max{}",
      size, largest_payload, share < settings.segment_bytes ? "max_size" : "segment",
      share < settings.segment_bytes ? " or cores.count" : ""));
}

fs::path absolute_path(const fs::path& directory) {
  std::error_code error;
  const fs::path whole = fs::absolute(directory, error).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

// The folders that get a new name when this one is made.
std::vector<fs::path> folders_above_new(const fs::path& directory) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (fs::path made = absolute_path(directory);
       made.has_relative_path() && !fs::exists(made, error); made = made.parent_path())
    folders.push_back(made.parent_path());
  return folders;
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  if (directory.has_parent_path()) fs::create_directories(directory.parent_path(), error);
  if (!error && ::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    error.assign(errno, std::system_category());
  if (!error && !fs::is_directory(directory, error) && !error)
    error.assign(ENOTDIR, std::system_category());
  if (!error) return;
  const Error failure = storage_error(error.value(), "making the folder");
  refuse(directory, failure, advice_for(failure));
}

}  // namespace

struct Journal::State {
  State(const JournalSettings& with, const Storage& on) : settings(with), storage(on) {}

  void recover_dead_runs();
  void seal_own();

  const JournalSettings settings;
  const Storage& storage;
  std::vector<fs::path> new_names;  // folders above what was made for this journal
  std::uint64_t recovered_intents = 0;
  std::uint64_t cut_bytes = 0;
  std::vector<Damage> found;
  std::optional<NewRun> run;
  FileHandle keeper_event;
  std::unique_ptr<SegmentPool> pool;
  std::vector<std::unique_ptr<Lane>> lanes;
  std::unique_ptr<Syncer> syncer;
  std::unique_ptr<Keeper> keeper;
};

void Journal::State::recover_dead_runs() {
  for (const std::string& name : list_runs(settings.directory)) {
    const fs::path path = settings.directory / name;
    if (run_is_sealed(path)) continue;
    const auto lock = RunLock::take(path);
    if (!lock || run_is_sealed(path)) continue;
    auto report = seal_run(path);
    if (!report) {
      found.push_back({path, 0, 0, describe(report.error())});
      continue;
    }
    recovered_intents += report->recovered_intents;
    cut_bytes += report->cut_bytes;
    std::move(report->damage.begin(), report->damage.end(), std::back_inserter(found));
    if (!report->empty) continue;
    if (auto removed = remove_run(settings.directory, name); !removed)
      found.push_back({path, 0, 0, describe(removed.error())});
  }
}

// What fails here is found and done by the next process.
void Journal::State::seal_own() {
  if (syncer) syncer->stop();
  keeper.reset();
  lanes.clear();
  syncer.reset();
  pool.reset();
  if (!run) return;
  const auto report = seal_run(run->path);
  if (report && report->empty) static_cast<void>(remove_run(settings.directory, run->name));
}

Journal::Journal(const JournalSettings& settings, unsigned lanes, std::size_t largest_payload,
                 const Storage& storage)
    : state_(std::make_unique<State>(settings, storage)) {
  ensure(lanes > 0, "a journal has at least one lane");
  const std::uint64_t segment_bytes = segment_size(settings, lanes, largest_payload);
  state_->new_names = folders_above_new(settings.directory);
  make_directory(settings.directory);
  remove_leftovers(settings.directory);
  state_->recover_dead_runs();

  auto run = create_run(settings.directory, lanes);
  if (!run) refuse(settings.directory, run.error(), advice_for(run.error()));
  state_->run.emplace(std::move(*run));
  state_->pool = std::make_unique<SegmentPool>(storage, settings, segment_bytes,
                                               state_->run->path, state_->run->name, lanes);
  // For people: the journal goes on where it cannot be told.
  static_cast<void>(say_configured(state_->run->path, settings.consumers));
  // What was passed by all while nobody was there to remove it is room now.
  state_->pool->look_around();
  state_->keeper_event = FileHandle(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  for (unsigned number = 0; number < lanes; ++number)
    state_->lanes.push_back(
        std::make_unique<Lane>(number, *state_->pool, state_->keeper_event.get()));
  state_->keeper = std::make_unique<Keeper>(*state_->pool, state_->lanes, state_->keeper_event);
  if (auto equipped = state_->keeper->equip(); !equipped) {
    state_->seal_own();
    refuse(settings.directory, equipped.error(), advice_for(equipped.error()));
  }
  state_->keeper->start();
}

Journal::~Journal() { state_->seal_own(); }

Lane& Journal::lane(unsigned index) {
  ensure(index < state_->lanes.size(), "a lane that the journal has");
  return *state_->lanes[index];
}

unsigned Journal::lanes() const noexcept { return static_cast<unsigned>(state_->lanes.size()); }

const JournalSettings& Journal::settings() const noexcept { return state_->settings; }

void Journal::sync_on_demand(std::chrono::milliseconds failure_hold) {
  ensure(!state_->syncer, "a journal begins to sync once");
  // A process may have made it that died before it could sync; else it is somebody else's, and may be
  // of a file system that cannot sync folders.
  const fs::path above = absolute_path(state_->settings.directory).parent_path();
  static_cast<void>(state_->storage.sync_folder(above));
  for (const fs::path& folder : state_->new_names) {
    const int error = state_->storage.sync_folder(folder);
    if (error == 0) continue;
    refuse(state_->settings.directory, storage_error(error, "syncing the folders above"),
           "durability: disk needs a disk that can sync");
  }
  Syncer::Settings settings{state_->settings.directory, state_->run->path,
                            state_->settings.sync_interval, failure_hold};
  state_->syncer = std::make_unique<Syncer>(state_->storage, std::move(settings), state_->lanes);
  for (const auto& lane : state_->lanes) lane->sync_with(*state_->syncer);
  state_->pool->recycle_only_synced(*state_->syncer);
  state_->syncer->start();
}

Promise& Journal::synced(unsigned lane) {
  ensure(state_->syncer != nullptr, "sync_on_demand() came first");
  ensure(lane < state_->lanes.size(), "a lane that the journal has");
  return state_->syncer->promise(lane);
}

void Journal::look_around() { state_->pool->look_around(); }

JournalStatus Journal::status() const {
  JournalStatus status;
  state_->pool->add_to(status);
  for (const auto& lane : state_->lanes) {
    const LaneCounters& counters = lane->counters();
    status.frames += counters.frames.value();
    status.bytes += counters.bytes.value();
    status.stalls += counters.stalls.value();
    status.refused += counters.refused.value();
  }
  if (state_->syncer) {
    status.syncs = state_->syncer->syncs();
    status.sync_failures = state_->syncer->failures();
  }
  status.recovered_intents = state_->recovered_intents;
  status.cut_bytes = state_->cut_bytes;
  return status;
}

const std::vector<Damage>& Journal::found_at_start() const noexcept { return state_->found; }

const fs::path& Journal::run() const noexcept { return state_->run->path; }

}  // namespace segue::recorder
