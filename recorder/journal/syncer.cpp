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
// How soon what could not be opened is tried again.
constexpr int kAgainMs = 100;

// Of open(), never of fsync(): nothing is known of the disk then.
bool lacks_means(int error) noexcept {
  return error == EMFILE || error == ENFILE || error == ENOMEM;
}

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
  segment->path = path;
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
    take_wake(again_ ? kAgainMs : -1);
    if (!wait_until(next_ns)) return;
    pending_.store(false);
    again_ = false;
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
    const Outcome outcome = sync_segment(lane, segment);
    if (outcome == Outcome::not_now) return;
    if (outcome == Outcome::failed) {
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
    const Outcome outcome = sync_segment(lane, *lane.segments[1]);
    if (outcome == Outcome::not_now) return;
    if (outcome == Outcome::failed) {
      failures_.add(1);
      lane.segments.front()->failed_ns = runtime::monotonic_now();
    }
    lane.segments.erase(lane.segments.begin() + 1);
  }
}

// A segment keeps its name until it was synced, so it is still found when the lane had no descriptor
// left for it.
Syncer::Outcome Syncer::sync_segment(LaneSync& lane, Unsynced& segment) {
  if (!segment.file) segment.file = FileHandle(::open(segment.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!segment.file) {
    again_ = true;
    return Outcome::not_now;
  }
  if (storage_.sync_data(segment.file.get()) != 0) return Outcome::failed;
  if (segment.named) return Outcome::synced;
  const Outcome outcome = sync_folder(lane.folder);
  if (outcome == Outcome::synced) segment.named = true;
  return outcome;
}

Syncer::Outcome Syncer::sync_folder(const fs::path& folder) {
  const int error = storage_.sync_folder(folder);
  if (error == 0) return Outcome::synced;
  if (!lacks_means(error)) return Outcome::failed;
  again_ = true;
  return Outcome::not_now;
}

// Once: the folders above the lanes' down from the journal's.
bool Syncer::sync_names_of_run() {
  if (names_ != Names::unsynced) return names_ == Names::synced;
  Outcome outcome = sync_folder(settings_.run);
  if (outcome == Outcome::synced) outcome = sync_folder(settings_.directory);
  if (outcome == Outcome::not_now) return false;
  if (outcome == Outcome::synced) {
    names_ = Names::synced;
    return true;
  }
  failures_.add(1);
  for (const auto& lane : lanes_) lane->failed.store(true);
  names_ = Names::failed;
  return false;
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
