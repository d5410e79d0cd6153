#include "recorder/journal/causal_merge.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "runtime/clock.hpp"

namespace segue::recorder {

namespace fs = std::filesystem;

struct CausalMerge::Entered {
  MergedRun* run;
  std::int64_t boot_rank;  // the same for all runs of a boot; the running one's is the highest
  std::vector<std::unique_ptr<LaneReader>> lanes;
  std::vector<LaneReader*> waiting;  // without a head
};

Result<std::unique_ptr<MergedRun>> MergedRun::meet(const fs::path& path) {
  auto run = std::make_unique<MergedRun>();
  run->name = path.filename().string();
  run->path = path;
  bool found = false;
  const auto lanes = find_lanes(path);
  if (!lanes) return lanes.error();
  for (const std::uint32_t lane : *lanes) {
    const auto segments = find_segments(path, lane);
    if (!segments) return segments.error();
    for (const std::uint64_t sequence : *segments) {
      const auto source = FileSource::open(segment_path(path, lane, sequence));
      if (!source && source.error().code.value() == ENOENT) continue;
      if (!source) return source.error();
      const auto header = read_header(*source);
      if (!header || header_fault(*header) != nullptr) continue;
      const bool first = !std::exchange(found, true);
      run->boot = header->boot_id;
      if (first || header->created_monotonic_ns < run->began_ns) {
        run->began_ns = header->created_monotonic_ns;
        run->began_unix_ns = header->created_unix_ns;
      }
      break;
    }
  }
  if (!found) run.reset();
  return run;
}

bool CausalMerge::Later::operator()(const Head& a, const Head& b) const noexcept {
  if (a.entered->boot_rank != b.entered->boot_rank)
    return a.entered->boot_rank > b.entered->boot_rank;
  const Frame& x = a.lane->head();
  const Frame& y = b.lane->head();
  if (x.commit_ns != y.commit_ns) return x.commit_ns > y.commit_ns;
  return x.run != y.run ? x.run > y.run : x.lane > y.lane;
}

CausalMerge::CausalMerge(const ReadOptions& options, std::vector<Damage>& damage,
                         LookAround look_around)
    : options_(options),
      damage_(damage),
      look_around_(std::move(look_around)),
      running_boot_(current_boot()),
      complete_until_(std::numeric_limits<std::int64_t>::min()) {}

CausalMerge::~CausalMerge() = default;

void CausalMerge::add(MergedRun& run) {
  boot_began_.try_emplace(run.boot, is_over(run) ? run.began_unix_ns
                                                 : std::numeric_limits<std::int64_t>::max());
  to_come_.push_back(&run);
}

// Nothing of it can be opened now. The next boot does not wait for that: what comes of it later
// comes late.
bool CausalMerge::is_stuck(const Entered& entered) const noexcept {
  return is_over(*entered.run) && entered.waiting.size() == entered.lanes.size();
}

// Boots come in sequence, the running one last. False: nothing is left to read.
bool CausalMerge::choose_boot() {
  if (boot_ && (std::any_of(entered_.begin(), entered_.end(),
                            [&](const auto& run) { return !is_stuck(*run); }) ||
                std::any_of(to_come_.begin(), to_come_.end(),
                            [&](const MergedRun* run) { return run->boot == *boot_; })))
    return true;
  const auto first = std::min_element(
      to_come_.begin(), to_come_.end(), [&](const MergedRun* a, const MergedRun* b) {
        return boot_began_.at(a->boot) < boot_began_.at(b->boot);
      });
  if (first == to_come_.end()) return boot_ && !entered_.empty();
  boot_ = (*first)->boot;
  return true;
}

// A run's lanes are opened when its time comes, so that fifty old runs are not open at once. A run
// of an older boot that is met while the running one is read has its time at once.
void CausalMerge::enter_due_runs() {
  for (;;) {
    MergedRun* next = nullptr;
    for (MergedRun* const run : to_come_) {
      if (run->boot != *boot_) {
        if (*boot_ != running_boot_) continue;
        next = run;
        break;
      }
      if (next == nullptr || run->began_ns < next->began_ns) next = run;
    }
    if (next == nullptr) return;
    if (next->boot == *boot_ && !heads_.empty() &&
        heads_.top().lane->head().commit_ns < next->began_ns)
      return;
    if (!enter(*next)) return;
    std::erase(to_come_, next);
  }
}

// False: its folder cannot be read now. Whoever gives tracks says with them which lanes there are.
bool CausalMerge::enter(MergedRun& run) {
  std::vector<std::uint32_t> lanes;
  if (run.tracks != nullptr) {
    for (const auto& [lane, track] : *run.tracks) lanes.push_back(lane);
  } else {
    auto found = find_lanes(run.path);
    if (!found) return false;
    lanes = std::move(*found);
  }
  if (lanes.empty()) return true;  // removed meanwhile
  Entered& entered =
      *entered_.emplace_back(std::make_unique<Entered>(&run, boot_began_.at(run.boot)));
  for (const std::uint32_t lane : lanes) {
    LaneTrack* const track = run.tracks == nullptr ? nullptr : &run.tracks->at(lane);
    entered.lanes.push_back(
        std::make_unique<LaneReader>(run.path, run.name, lane, options_, damage_, track));
  }
  std::vector<LaneReader*> opened;  // a lane that is at its end leaves the run
  for (const auto& lane : entered.lanes) opened.push_back(lane.get());
  for (LaneReader* const lane : opened) refill(entered, *lane);
  return true;
}

// The last lane that is finished takes the run with it.
void CausalMerge::refill(Entered& entered, LaneReader& lane) {
  switch (lane.look(entered.run->life)) {
    case LaneReader::Look::frame:
      heads_.push({&lane, &entered});
      break;
    case LaneReader::Look::nothing:
      entered.waiting.push_back(&lane);
      break;
    case LaneReader::Look::finished:
      std::erase_if(entered.lanes, [&](const auto& other) { return other.get() == &lane; });
      if (entered.lanes.empty())
        std::erase_if(entered_, [&](const auto& other) { return other.get() == &entered; });
      break;
  }
}

// First the moment, then the runs, whether they live, and their lanes: a frame that is not seen
// now is committed after that moment, or by one who had not seen a frame committed before it.
Result<void> CausalMerge::begin_round() {
  const std::int64_t now = runtime::monotonic_now();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (auto looked = look_around_(); !looked) return looked;
  std::vector<Entered*> entered;
  for (const auto& run : entered_) entered.push_back(run.get());
  for (Entered* const run : entered) {
    const std::vector<LaneReader*> waiting = std::exchange(run->waiting, {});
    for (LaneReader* const lane : waiting) refill(*run, *lane);
  }
  if (!choose_boot()) return {};
  enter_due_runs();
  complete_until_ = now;
  return {};
}

std::optional<CausalMerge::Merged> CausalMerge::emit() {
  if (heads_.empty()) return std::nullopt;
  const Head& head = heads_.top();
  // A boot that is over has no more to come.
  if (!is_over(*head.entered->run) && head.lane->head().commit_ns > complete_until_)
    return std::nullopt;
  shown_ = head;
  heads_.pop();
  return Merged{shown_->lane->head(), shown_->entered->run};
}

Result<std::optional<CausalMerge::Merged>> CausalMerge::next() {
  if (auto last = std::exchange(shown_, std::nullopt)) {
    last->lane->pop();
    refill(*last->entered, *last->lane);
  }
  if (boot_) enter_due_runs();
  if (auto merged = emit()) return merged;
  // A new round may end one boot and begin the next.
  for (;;) {
    const auto boot = boot_;
    if (auto round = begin_round(); !round) return round.error();
    if (auto merged = emit()) return merged;
    if (boot == boot_) return std::optional<Merged>();
  }
}

}  // namespace segue::recorder
