#include "recorder/journal/reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <map>
#include <queue>
#include <set>
#include <utility>

#include "recorder/journal/clock.hpp"
#include "recorder/journal/lane_reader.hpp"
#include "recorder/journal/run_folder.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

struct Run {
  std::string name;
  fs::path path;
  BootId boot{};
  std::int64_t began_unix_ns = 0;
  std::int64_t began_ns = 0;  // no frame of it is older
  RunLife life = RunLife::alive;
  std::vector<std::unique_ptr<LaneReader>> lanes;
  std::vector<LaneReader*> waiting;  // without a head
};

// What a run's segments say of it; false: it has none yet whose header can be read.
bool learn(Run& run) {
  bool found = false;
  for (const std::uint32_t lane : list_lanes(run.path)) {
    for (const std::uint64_t sequence : list_segments(run.path, lane)) {
      const auto source = FileSource::open(segment_path(run.path, lane, sequence));
      if (!source) continue;
      const auto header = read_header(*source);
      if (!header || header_fault(*header) != nullptr) continue;
      const bool first = !std::exchange(found, true);
      run.boot = header->boot_id;
      if (first || header->created_monotonic_ns < run.began_ns) {
        run.began_ns = header->created_monotonic_ns;
        run.began_unix_ns = header->created_unix_ns;
      }
      break;
    }
  }
  return found;
}

struct Head {
  LaneReader* lane;
  Run* run;
};

struct Later {
  bool operator()(const Head& a, const Head& b) const noexcept {
    const Frame& x = a.lane->head();
    const Frame& y = b.lane->head();
    if (x.commit_ns != y.commit_ns) return x.commit_ns > y.commit_ns;
    return x.run != y.run ? x.run > y.run : x.lane > y.lane;
  }
};

}  // namespace

struct JournalReader::State {
  State(fs::path folder, const ReadOptions& with)
      : directory(std::move(folder)), options(with), running_boot(current_boot()) {}

  Result<void> begin_round();
  void find_runs();
  bool choose_boot();
  void enter_due_runs();
  void enter(Run& run);
  void refill(Run& run, LaneReader& lane);
  std::optional<Frame> emit();

  const fs::path directory;
  const ReadOptions options;
  const BootId running_boot;
  std::vector<Damage> damage;

  std::map<std::string, std::unique_ptr<Run>, std::less<>> known;
  std::vector<Run*> to_come;  // not entered
  std::vector<Run*> entered;
  std::optional<BootId> boot;  // whose runs are being merged
  std::priority_queue<Head, std::vector<Head>, Later> heads;
  std::optional<Head> shown;  // given out by the last next()
  // Every lane was looked at after this moment: it has shown all it committed before.
  std::int64_t complete_until = std::numeric_limits<std::int64_t>::min();
};

void JournalReader::State::find_runs() {
  for (const std::string& name : list_runs(directory)) {
    if (known.contains(name)) continue;
    auto run = std::make_unique<Run>();
    run->name = name;
    run->path = directory / name;
    if (!learn(*run)) continue;
    to_come.push_back(run.get());
    known.emplace(name, std::move(run));
  }
}

// Boots come in sequence, the running one last. False: nothing is left to read.
bool JournalReader::State::choose_boot() {
  if (boot && (!entered.empty() || std::any_of(to_come.begin(), to_come.end(), [&](const Run* run) {
                 return run->boot == *boot;
               })))
    return true;
  const auto first = std::min_element(to_come.begin(), to_come.end(), [&](Run* a, Run* b) {
    const bool a_runs = a->boot == running_boot;
    const bool b_runs = b->boot == running_boot;
    return a_runs != b_runs ? b_runs : a->began_unix_ns < b->began_unix_ns;
  });
  if (first == to_come.end()) return false;
  boot = (*first)->boot;
  return true;
}

// A run's lanes are opened when its time comes, so that fifty old runs are not open at once.
void JournalReader::State::enter_due_runs() {
  for (;;) {
    Run* next = nullptr;
    for (Run* const run : to_come)
      if (run->boot == *boot && (next == nullptr || run->began_ns < next->began_ns)) next = run;
    if (next == nullptr) return;
    if (!heads.empty() && heads.top().lane->head().commit_ns < next->began_ns) return;
    std::erase(to_come, next);
    enter(*next);
  }
}

void JournalReader::State::enter(Run& run) {
  entered.push_back(&run);
  if (run.boot != running_boot || !run_is_locked(run.path)) run.life = RunLife::dead;
  for (const std::uint32_t lane : list_lanes(run.path))
    run.lanes.push_back(
        std::make_unique<LaneReader>(run.path, run.name, lane, options, damage));
  std::vector<LaneReader*> opened;  // a lane that is at its end leaves the run
  for (const auto& lane : run.lanes) opened.push_back(lane.get());
  for (LaneReader* const lane : opened) refill(run, *lane);
}

void JournalReader::State::refill(Run& run, LaneReader& lane) {
  switch (lane.look(run.life)) {
    case LaneReader::Look::frame:
      heads.push({&lane, &run});
      break;
    case LaneReader::Look::nothing:
      run.waiting.push_back(&lane);
      break;
    case LaneReader::Look::finished:
      std::erase_if(run.lanes, [&](const auto& other) { return other.get() == &lane; });
      if (run.lanes.empty()) std::erase(entered, &run);
      break;
  }
}

// First the moment, then the runs, whether they live, and their lanes: a frame that is not seen
// now is committed after that moment, or by one who had not seen a frame committed before it.
Result<void> JournalReader::State::begin_round() {
  const std::int64_t now = monotonic_ns();
  if (::access(directory.c_str(), R_OK | X_OK) != 0)
    return storage_error(errno, "reading the journal's folder");
  find_runs();
  for (Run* const run : std::vector<Run*>(entered)) {
    if (run->life == RunLife::alive && !run_is_locked(run->path)) run->life = RunLife::dead;
    for (LaneReader* const lane : std::exchange(run->waiting, {})) refill(*run, *lane);
  }
  if (choose_boot()) {
    enter_due_runs();
    // A boot that is over has no more to come.
    complete_until = *boot == running_boot ? now : std::numeric_limits<std::int64_t>::max();
  }
  return {};
}

std::optional<Frame> JournalReader::State::emit() {
  if (heads.empty() || heads.top().lane->head().commit_ns > complete_until) return std::nullopt;
  shown = heads.top();
  heads.pop();
  return shown->lane->head();
}

JournalReader::JournalReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
JournalReader::~JournalReader() = default;

Result<std::unique_ptr<JournalReader>> JournalReader::open(const fs::path& directory,
                                                           const ReadOptions& options) {
  std::error_code error;
  fs::directory_iterator entries(directory, error);
  if (error) return storage_error(error.value(), "opening the journal's folder");
  const bool empty = entries == fs::directory_iterator();
  const bool journal = std::any_of(entries, fs::directory_iterator(), [](const auto& entry) {
    const std::string name = entry.path().filename().string();
    return is_run_name(name) || name.starts_with('.');
  });
  if (!empty && !journal) return storage_error(EINVAL, "opening a folder that is no journal");
  return std::unique_ptr<JournalReader>(
      new JournalReader(std::make_unique<State>(directory, options)));
}

Result<std::optional<Frame>> JournalReader::next() {
  if (auto last = std::exchange(state_->shown, std::nullopt)) {
    last->lane->pop();
    state_->refill(*last->run, *last->lane);
  }
  if (state_->boot) state_->enter_due_runs();
  if (auto frame = state_->emit()) return frame;
  // A new round may end one boot and begin the next.
  for (;;) {
    const auto boot = state_->boot;
    if (auto round = state_->begin_round(); !round) return round.error();
    if (auto frame = state_->emit()) return frame;
    if (boot == state_->boot) return std::optional<Frame>();
  }
}

const std::vector<Damage>& JournalReader::damage() const noexcept { return state_->damage; }

}  // namespace segue::recorder
