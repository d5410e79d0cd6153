#include "recorder/journal/syncer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "recorder/journal/journal.hpp"
#include "runtime/clock.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

// How many segments a lane may leave before they are synced unasked: each holds a descriptor.
constexpr std::size_t kUnsyncedSegments = 3;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kLongestPollMs = 60'000;

}  // namespace

Syncer::Syncer(const Storage& storage, Settings settings,
               const std::vector<std::unique_ptr<Lane>>& lanes)
    : storage_(storage),
      settings_(std::move(settings)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (const auto& lane : lanes) {
    auto sync = std::make_unique<LaneSync>();
    sync->lane = lane.get();
    sync->folder = settings_.run / fmt::to_string(lanes_.size());
    sync->promise.on_want([this] { wake(); });
    lanes_.push_back(std::move(sync));
  }
}

Syncer::~Syncer() {
  stop();
  for (const auto& lane : lanes_) collect(*lane);
}

void Syncer::entered(unsigned lane, const fs::path& path, std::uint64_t first_lane_sequence) {
  auto segment = std::make_unique<Unsynced>();
  segment->file = FileHandle(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  segment->first_lane_sequence = first_lane_sequence;
  std::atomic<Unsynced*>& list = lanes_[lane]->entered;
  segment->next = list.load(std::memory_order_relaxed);
  Unsynced* const raw = segment.release();
  while (!list.compare_exchange_weak(raw->next, raw, std::memory_order_release,
                                     std::memory_order_relaxed)) {
  }
  wake();
}

bool Syncer::allows_recycling(unsigned lane, std::uint64_t last_carried) const noexcept {
  const LaneSync& sync = *lanes_[lane];
  return sync.promise.reached(last_carried) || sync.failed.load();
}

void Syncer::demand() noexcept {
  demanded_.store(true);
  wake();
}

void Syncer::start() {
  thread_ = std::thread([this] { run(); });
}

void Syncer::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  pending_.store(false);
  wake();
  thread_.join();
}

// One system call for all that come to wait before the thread looks.
void Syncer::wake() noexcept {
  if (pending_.exchange(true)) return;
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event_.get(), &one, sizeof one);
  static_cast<void>(written);  // fails only when 2^64 - 1 wake-ups are pending
}

// Takes what wake() wrote, within this time; -1: for ever.
void Syncer::take_wake(int patience_ms) noexcept {
  pollfd event{event_.get(), POLLIN, 0};
  if (::poll(&event, 1, patience_ms) <= 0) return;
  std::uint64_t count = 0;
  const ssize_t taken = ::read(event_.get(), &count, sizeof count);
  static_cast<void>(taken);
}

// False: stop() came first.
bool Syncer::wait_until(std::int64_t due_ns) {
  while (!stopping_.load()) {
    const std::int64_t left = due_ns - runtime::monotonic_now();
    if (left <= 0) return true;
    const std::int64_t patience_ms = left / kMillisecond + 1;
    take_wake(static_cast<int>(std::min<std::int64_t>(patience_ms, kLongestPollMs)));
  }
  return false;
}

void Syncer::run() {
  std::int64_t next_ns = 0;  // when a group sync may begin
  while (!stopping_.load()) {
    take_wake(-1);
    if (!wait_until(next_ns)) return;
    pending_.store(false);
    const bool demanded = demanded_.exchange(false);
    std::vector<LaneSync*> wanted;
    for (const auto& lane : lanes_)
      if (is_wanted(*lane, demanded)) wanted.push_back(lane.get());
    if (wanted.empty()) continue;
    next_ns = runtime::after(runtime::monotonic_now(), settings_.interval);
    syncs_.add(1);
    if (!sync_names_of_run()) continue;
    for (LaneSync* const lane : wanted) sync_lane(*lane);
  }
}

bool Syncer::is_wanted(LaneSync& lane, bool demanded) {
  collect(lane);
  const std::uint64_t reached = lane.promise.value();
  return lane.promise.wanted() > reached || lane.segments.size() > kUnsyncedSegments ||
         (demanded && lane.lane->readable_sequence() > reached);
}

void Syncer::collect(LaneSync& lane) {
  const std::size_t known = lane.segments.size();
  for (Unsynced* at = lane.entered.exchange(nullptr, std::memory_order_acquire); at != nullptr;) {
    std::unique_ptr<Unsynced> segment(std::exchange(at, at->next));
    lane.segments.push_back(std::move(segment));
  }
  std::reverse(lane.segments.begin() + static_cast<std::ptrdiff_t>(known), lane.segments.end());
  // Until the lane left it, others may have come to wait for frames of the failed segment.
  if (known == 1 && lane.segments.size() > 1 && lane.segments.front()->failed_ns != 0)
    lane.segments.front()->failed_ns = runtime::monotonic_now();
}

// The frames first, then the segments: each frame that is seen is in one of those.
void Syncer::sync_lane(LaneSync& lane) {
  const std::uint64_t committed = lane.lane->readable_sequence();
  collect(lane);
  forget_failure(lane);
  while (!lane.segments.empty()) {
    Unsynced& segment = *lane.segments.front();
    if (segment.failed_ns != 0) return sync_behind_failure(lane);
    if (!sync_segment(lane, segment)) {
      segment.failed_ns = runtime::monotonic_now();
      failures_.add(1);
      lane.failed.store(true);
      return;
    }
    if (lane.segments.size() == 1) return lane.promise.advance(committed);
    lane.promise.advance(lane.segments[1]->first_lane_sequence - 1);
    lane.segments.pop_front();
  }
}

// Segments that were left meanwhile do not wait with open files: when the promise goes on, it goes
// past them, too.
void Syncer::sync_behind_failure(LaneSync& lane) {
  while (lane.segments.size() > 2) {
    if (!sync_segment(lane, *lane.segments[1])) {
      failures_.add(1);
      lane.segments.front()->failed_ns = runtime::monotonic_now();
    }
    lane.segments.erase(lane.segments.begin() + 1);
  }
}

bool Syncer::sync_segment(LaneSync& lane, Unsynced& segment) {
  if (storage_.sync_data(segment.file.get()) != 0) return false;
  if (!segment.named && storage_.sync_folder(lane.folder) != 0) return false;
  segment.named = true;
  return true;
}

// Once: the folders above the lanes'. The one that holds the journal's may be somebody else's.
bool Syncer::sync_names_of_run() {
  if (names_ != Names::unsynced) return names_ == Names::synced;
  const bool done = storage_.sync_folder(settings_.run) == 0 &&
                    storage_.sync_folder(settings_.directory) == 0;
  if (done) {
    const fs::path above = fs::absolute(settings_.directory).parent_path();
    static_cast<void>(storage_.sync_folder(above));
  } else {
    failures_.add(1);
    for (const auto& lane : lanes_) lane->failed.store(true);
  }
  names_ = done ? Names::synced : Names::failed;
  return done;
}

void Syncer::forget_failure(LaneSync& lane) {
  if (lane.segments.size() < 2) return;
  const std::int64_t failed_ns = lane.segments.front()->failed_ns;
  if (failed_ns == 0) return;
  if (runtime::monotonic_now() < runtime::after(failed_ns, settings_.failure_hold)) return;
  lane.segments.pop_front();
  lane.failed.store(false);
}

}  // namespace segue::recorder
