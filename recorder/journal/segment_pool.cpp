#include "recorder/journal/segment_pool.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "recorder/journal/recovery.hpp"
#include "recorder/journal/syncer.hpp"
#include "runtime/clock.hpp"

namespace segue::recorder {
namespace {

constexpr unsigned kMinimumPerLane = 2;  // one written, one prepared
constexpr std::chrono::milliseconds kWatchInterval{200};

std::vector<std::uint32_t> first_numbers(unsigned count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return numbers;
}

}  // namespace

SegmentPool::SegmentPool(const Storage& storage, const JournalSettings& settings,
                         std::uint64_t segment_bytes, std::filesystem::path run,
                         std::string run_name, unsigned lanes)
    : storage_(storage),
      settings_(settings),
      segment_bytes_(segment_bytes),
      run_(std::move(run)),
      run_name_(std::move(run_name)),
      lanes_(first_numbers(lanes)),
      boot_(current_boot()),
      // Without a map there are no pages to keep, and a reader may meet half of what is flushed:
      // there zeros are worth their price.
      pages_(storage.maps(run_) ? choose_pages(settings.pages, settings.max_bytes, segment_bytes,
                                               memory_bounds())
                                : SegmentPages::lean),
      next_sequence_(lanes, 1) {
  count_others();
}

SegmentPool::~SegmentPool() { collect(); }

Result<std::unique_ptr<Segment>> SegmentPool::acquire(std::uint32_t lane) {
  collect();
  shrink();
  auto claimed = claim_fresh(lane);
  // Dead runs are older than anything of this one: they go first. One thread at a time, or two
  // would remove two where one is enough. With consumers they go when they were passed, see
  // look_around().
  if (!claimed && settings_.consumers.empty()) {
    const std::lock_guard lock(removal_mutex_);
    do claimed = claim_fresh(lane);
    while (!claimed && remove_dead_run(Unread::removed));
  }
  if (claimed) {
    auto segment = prepare(lane, *claimed);
    // The disk may be full before max_size is: then what is there already is taken instead.
    if (segment || segment.error().code.value() != ENOSPC) return segment;
  }
  claimed = claim_former(lane);
  if (!claimed) return claimed.error();
  return prepare(lane, *claimed);
}

bool SegmentPool::over_limit(std::uint64_t more) const noexcept {
  return own_bytes_ + other_bytes_ + more > settings_.max_bytes;
}

Result<SegmentPool::Claim> SegmentPool::claim_fresh(std::uint32_t lane) {
  const std::lock_guard lock(mutex_);
  // Two segments a lane are always granted; that is at most half of max_size. So a second process
  // can start beside one that fills the folder and then shrinks.
  const std::uint64_t granted = kMinimumPerLane * lanes_.size() * segment_bytes_;
  if (over_limit(segment_bytes_) && own_bytes_ + segment_bytes_ > granted)
    return storage_error(ENOSPC, "finding room in the journal");
  own_bytes_ += segment_bytes_;
  return Claim{.sequence = next_sequence_[lane]++};
}

Result<SegmentPool::Claim> SegmentPool::claim_former(std::uint32_t lane) {
  const auto to = consumed();
  std::unique_lock lock(mutex_);
  const auto found = find_recyclable(to);
  if (found == retired_.end()) {
    lock.unlock();
    if (Syncer* const syncer = syncer_.load()) syncer->demand();
    return storage_error(ENOSPC, "finding room in the journal");
  }
  Claim claim{.sequence = next_sequence_[lane]++, .fresh = false, .former = std::move(*found)};
  retired_.erase(found);
  count_overwritten(claim.former, to);
  return claim;
}

// While the folder cannot be read: those that were known.
std::vector<std::string> SegmentPool::registered() {
  auto found = registered_consumers(settings_.directory);
  const std::lock_guard lock(mutex_);
  if (found) registered_ = std::move(*found);
  return registered_;
}

std::optional<ConsumedTo> SegmentPool::consumed() {
  return consumed_to(run_, settings_.consumers, registered(), lanes_);
}

std::deque<SegmentPool::Record>::iterator SegmentPool::find_recyclable(
    const std::optional<ConsumedTo>& consumed) {
  return std::find_if(retired_.begin(), retired_.end(),
                      [&](const Record& record) { return may_go(record, consumed); });
}

bool SegmentPool::may_go(const Record& record, const std::optional<ConsumedTo>& consumed) const {
  if (consumed && record.last_lane_sequence > consumed->free.position(record.lane)) return false;
  Syncer* const syncer = syncer_.load();
  return syncer == nullptr || syncer->allows_recycling(record.lane, record.last_carried);
}

void SegmentPool::count_overwritten(const Record& record,
                                    const std::optional<ConsumedTo>& consumed) {
  if (consumed && record.last_lane_sequence <= consumed->passed.position(record.lane)) return;
  overwritten_frames_ += record.frames;
  ++overwritten_segments_;
}

Result<std::shared_ptr<SegmentFile>> SegmentPool::open_file(const Claim& claim,
                                                            const SegmentHeader& header,
                                                            const std::filesystem::path& path) {
  if (const auto& kept = claim.former.file) {
    if (auto renewed = kept->renew(path, header); !renewed) return renewed.error();
    return kept;
  }
  const auto former = segment_path(run_, claim.former.lane, claim.former.sequence);
  auto file = claim.fresh
                  ? SegmentFile::create(storage_, path, header, segment_bytes_)
                  : SegmentFile::recycle(storage_, former, path, header, segment_bytes_);
  if (!file) return file.error();
  return std::shared_ptr<SegmentFile>(std::move(*file));
}

// On failure the claim is given back, and a former segment is gone: its header may be written over.
Result<std::unique_ptr<Segment>> SegmentPool::prepare(std::uint32_t lane, const Claim& claim) {
  const SegmentHeader head = make_segment_header(boot_, run_name_, lane, claim.sequence);
  const auto path = segment_path(run_, lane, claim.sequence);
  auto file = open_file(claim, head, path);
  if (!file) {
    give_back(claim);
    return file.error();
  }
  auto segment = std::make_unique<Segment>();
  segment->file = std::move(*file);
  segment->lane = lane;
  segment->sequence = claim.sequence;
  segment->seed = segment_seed(head);
  return segment;
}

void SegmentPool::give_back(const Claim& claim) {
  if (!claim.fresh)
    ::unlink(segment_path(run_, claim.former.lane, claim.former.sequence).c_str());
  const std::lock_guard lock(mutex_);
  own_bytes_ -= segment_bytes_;
}

void SegmentPool::discard(std::unique_ptr<Segment> segment) {
  ::unlink(segment->file->path().c_str());
  const std::lock_guard lock(mutex_);
  own_bytes_ -= segment_bytes_;
}

void SegmentPool::retire(std::unique_ptr<Segment> segment) noexcept {
  Segment* const left = segment.release();
  left->next_retired = left_.load(std::memory_order_relaxed);
  while (!left_.compare_exchange_weak(left->next_retired, left, std::memory_order_release,
                                      std::memory_order_relaxed)) {
  }
}

void SegmentPool::collect() {
  std::vector<std::unique_ptr<Segment>> left;  // youngest first
  for (Segment* at = left_.exchange(nullptr, std::memory_order_acquire); at != nullptr;
       at = left.back()->next_retired)
    left.emplace_back(at);
  const std::lock_guard lock(mutex_);
  for (auto at = left.rbegin(); at != left.rend(); ++at) {
    const Segment& segment = **at;
    std::shared_ptr<SegmentFile> kept;
    if (pages_ == SegmentPages::warm) (kept = segment.file)->rest();
    retired_.push_back(Record{segment.lane, segment.sequence, segment.frames,
                              segment.last_lane_sequence, segment.last_carried,
                              std::move(kept)});
    graves_.push_back(std::move(*at));
  }
}

void SegmentPool::bury() {
  collect();
  if (pages_ == SegmentPages::warm) {
    std::vector<std::unique_ptr<Segment>> over;
    const std::lock_guard lock(mutex_);
    graves_.swap(over);
    return;
  }
  // Written back a round ago, so that waiting for it is short.
  for (const auto& segment : dying_) segment->file->drop(segment->kept_from, segment->file->size());
  dying_.clear();
  {
    const std::lock_guard lock(mutex_);
    dying_.swap(graves_);
  }
  for (const auto& segment : dying_)
    segment->file->start_writeback(segment->kept_from, segment->file->size());
}

// Another process came: what this one holds over the limit goes back to the disk.
void SegmentPool::shrink() {
  if (const std::lock_guard lock(mutex_); !over_limit(0)) return;
  const auto to = consumed();
  std::vector<Record> gone;
  {
    const std::lock_guard lock(mutex_);
    while (over_limit(0) && retired_.size() > 1) {
      const auto found = find_recyclable(to);
      if (found == retired_.end()) break;
      own_bytes_ -= segment_bytes_;
      count_overwritten(*found, to);
      gone.push_back(std::move(*found));
      retired_.erase(found);
    }
  }
  for (const Record& record : gone)
    ::unlink(segment_path(run_, record.lane, record.sequence).c_str());
}

bool SegmentPool::remove_dead_run(Unread unread) {
  const auto others = registered();
  for (const std::string& name : list_runs(settings_.directory)) {
    if (name == run_name_) continue;
    const auto path = settings_.directory / name;
    const auto lock = RunLock::take(path);
    if (!lock) continue;
    const bool may_go = unread == Unread::removed
                            ? run_is_free(path, settings_.consumers, others)
                            : run_is_passed(path, settings_.consumers, others);
    if (!may_go || !remove_run(settings_.directory, name)) continue;
    count_others();
    const std::lock_guard guard(mutex_);
    ++removed_runs_;
    return true;
  }
  return false;
}

void SegmentPool::look_around() {
  if (!settings_.consumers.empty() || !registered().empty()) {
    const std::lock_guard lock(removal_mutex_);
    while (remove_dead_run(Unread::kept)) {
    }
  }
  count_others();
}

void SegmentPool::keep_watch() {
  const std::int64_t now = runtime::monotonic_now();
  if (now < next_watch_ns_) return;
  next_watch_ns_ = runtime::after(now, kWatchInterval);
  look_around();
}

void SegmentPool::weigh(Spares spares) {
  const auto to = consumed();
  if (!to) return scarce_.store(false, std::memory_order_relaxed);
  collect();
  const std::lock_guard lock(mutex_);
  const auto waiting = std::count_if(
      retired_.begin(), retired_.end(), [&](const Record& record) {
        return record.last_lane_sequence > to->free.position(record.lane);
      });
  // Dead runs wait for those who are configured; what others have not begun with goes for room.
  const std::uint64_t dead = settings_.consumers.empty() ? 0 : other_bytes_;
  const std::uint64_t bytes = dead + static_cast<std::uint64_t>(waiting) * segment_bytes_;
  scarce_.store(spares == Spares::lacking || bytes > settings_.max_bytes / 2,
                std::memory_order_relaxed);
}

void SegmentPool::count_others() {
  const auto runs = find_runs(settings_.directory);
  if (!runs) return;  // what was counted last is nearer than nothing
  std::uint64_t bytes = 0;
  for (const std::string& name : *runs) {
    if (name == run_name_) continue;
    const auto of_run = run_bytes(settings_.directory / name);
    if (!of_run) return;
    bytes += *of_run;
  }
  const std::lock_guard lock(mutex_);
  other_bytes_ = bytes;
}

void SegmentPool::add_to(JournalStatus& status) const {
  const std::lock_guard lock(mutex_);
  status.overwritten_frames = overwritten_frames_;
  status.overwritten_segments = overwritten_segments_;
  status.removed_runs = removed_runs_;
  status.bytes_on_disk = own_bytes_ + other_bytes_;
  status.segments = own_bytes_ / segment_bytes_;
  status.pages = pages_;
}

}  // namespace segue::recorder
