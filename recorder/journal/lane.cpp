#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "recorder/journal/journal.hpp"
#include "recorder/journal/keeper.hpp"
#include "recorder/journal/segment_pool.hpp"
#include "recorder/journal/syncer.hpp"

namespace segue::recorder {
namespace {

std::uint64_t half_of(std::uint64_t segment_bytes) noexcept {
  return (segment_bytes - sizeof(SegmentHeader) - kEndMarkBytes) / 2 / 8 * 8;
}

}  // namespace

std::size_t largest_payload_in(std::uint64_t segment_bytes) noexcept {
  return half_of(segment_bytes) - sizeof(FrameHeader);
}

Lane::Lane(std::uint32_t number, SegmentPool& pool, int keeper_event)
    : max_payload_(largest_payload_in(pool.segment_bytes())),
      number_(number),
      pool_(pool),
      keeper_event_(keeper_event),
      half_(half_of(pool.segment_bytes())) {}

Lane::~Lane() {
  // Where nothing is mapped and the disk refuses, what was not written is lost with the process.
  static_cast<void>(flush());
  const std::unique_ptr<Segment> spare(spare_.exchange(nullptr));
}

std::size_t Lane::IdHash::operator()(const ExchangeId& id) const noexcept {
  std::size_t random = 0;  // the last 62 bits of a UUIDv7
  std::memcpy(&random, id.raw().data() + ExchangeId::kBytes - sizeof random, sizeof random);
  return random;
}

Error Lane::full() noexcept {
  counters_.refused.add(1);
  return storage_error(ENOSPC, "appending to the journal");
}

bool Lane::has_spare() {
  Segment* const spare = spare_.load(std::memory_order_acquire);
  if (spare != nullptr && spare->sequence < segment_->sequence) {
    // The keeper finished after the lane had helped itself: it would come out of order.
    spare_.store(nullptr, std::memory_order_relaxed);
    pool_.discard(std::unique_ptr<Segment>(spare));
    return held_ != nullptr;
  }
  return spare != nullptr || held_ != nullptr;
}

// With a spare at hand every reservation fits in it, for reservations and open intents together
// never exceed half a segment. Without one they must fit in what is left here.
void Lane::set_free_limit() { free_limit_ = has_spare() ? end_ : end_ - reserved_; }

Result<void> Lane::make_room(FrameKind kind, std::size_t payload_bytes, Room room) {
  if (payload_bytes > max_payload_) return storage_error(EMSGSIZE, "appending to the journal");
  const std::uint64_t frame = frame_bytes(payload_bytes);
  if (kind == FrameKind::intent && open_intent_bytes_ + reserved_ + frame > half_) return full();
  set_free_limit();
  if (cursor_ + frame <= (room == Room::free ? free_limit_ : end_)) return {};
  if (!find_spare()) return full();
  set_free_limit();
  if (cursor_ + frame <= end_) return {};
  return switch_segment();
}

Result<void> Lane::find_spare() {
  if (has_spare()) return {};
  if (starved_.load(std::memory_order_relaxed))
    return storage_error(ENOSPC, "finding room in the journal");
  counters_.stalls.add(1);
  auto made = pool_.acquire(number_);
  if (!made) {
    // From now on the keeper tries, and the lane does not spend system calls on every request.
    starved_.store(true, std::memory_order_relaxed);
    wake_keeper();
    return made.error();
  }
  held_ = std::move(*made);
  return {};
}

std::unique_ptr<Segment> Lane::take_spare() noexcept {
  Segment* const spare = spare_.load(std::memory_order_acquire);
  if (held_ && (spare == nullptr || held_->sequence < spare->sequence)) return std::move(held_);
  spare_.store(nullptr, std::memory_order_relaxed);
  return std::unique_ptr<Segment>(spare);
}

Result<void> Lane::switch_segment() {
  if (auto written = flush(); !written) {
    counters_.refused.add(1);
    return written.error();
  }
  std::unique_ptr<Segment> former = std::move(segment_);
  former->frames = lane_sequence_ - frames_before_;
  former->last_lane_sequence = lane_sequence_;
  enter(take_spare());
  carry_over(*former);
  // The former may go once these are on the disk. What fails here is written by the next flush().
  static_cast<void>(flush());
  former->last_carried = lane_sequence_;
  set_free_limit();
  pool_.retire(std::move(former));
  wake_keeper();
  return {};
}

void Lane::enter(std::unique_ptr<Segment> segment) noexcept {
  segment_ = std::move(segment);
  base_ = segment_->file->data();
  cursor_ = sizeof(SegmentHeader);
  end_ = segment_->file->size() - kEndMarkBytes;
  seed_ = segment_->seed;
  frames_before_ = lane_sequence_;
  if (syncer_ != nullptr) syncer_->entered(number_, segment_->file->path(), lane_sequence_ + 1);
  signal_at_ = kWindowBytes;
  if (segment_->populated.load(std::memory_order_acquire) < std::min(kWindowBytes, end_))
    counters_.stalls.add(1);
  current_.store(segment_.get(), std::memory_order_release);
}

void Lane::start() {
  enter(take_spare());
  mapped_ = segment_->file->mapped();
  set_free_limit();
}

// The former segment may be recycled from here on, so what it alone holds comes along.
void Lane::carry_over(const Segment& former) noexcept {
  for (auto& [id, intent] : open_intents_) {
    const std::span<char> payload(base_ + cursor_ + sizeof(FrameHeader), intent.payload_bytes);
    // A disk that cannot give an open intent back: its exchange still comes when it ends.
    if (!former.file->read(intent.offset + sizeof(FrameHeader), payload)) continue;
    open_kind_ = FrameKind::intent;
    open_bytes_ = intent.payload_bytes;
    store_frame(kCarriedOver);
    intent.offset = last_offset_;
    counters_.carried_intents.add(1);
  }
  open_bytes_ = 0;
}

void Lane::cross_window() noexcept {
  signal_at_ = (cursor_ / kWindowBytes + 1) * kWindowBytes;
  if (segment_->populated.load(std::memory_order_acquire) < std::min(signal_at_, end_))
    counters_.stalls.add(1);
  segment_->position.store(cursor_, std::memory_order_release);
  wake_keeper();
}

// One system call per 8 MiB window, some 3,600 exchanges: cheaper than a keeper that polls, which
// would wake an idle process for nothing.
void Lane::wake_keeper() const noexcept {
  const std::uint64_t one = 1;
  const ssize_t written = ::write(keeper_event_, &one, sizeof one);
  static_cast<void>(written);  // fails only when 2^64 - 1 wake-ups are pending
}

bool Lane::scarce() const noexcept {
  return pool_.scarce();
}

Result<void> Lane::reserve(std::size_t bytes) {
  const std::uint64_t frame = frame_bytes(bytes);
  if (open_intent_bytes_ + reserved_ + frame > half_) return full();
  if (cursor_ + reserved_ + frame > end_ && !find_spare()) return full();
  reserved_ += frame;
  set_free_limit();
  return {};
}

void Lane::release(std::size_t bytes) noexcept {
  const std::uint64_t frame = frame_bytes(bytes);
  ensure(frame <= reserved_, "more journal room released than was reserved");
  reserved_ -= frame;
  free_limit_ = std::min(end_, free_limit_ + frame);
}

void Lane::intent_opened(const ExchangeId& id) noexcept {
  const auto [at, added] = open_intents_.try_emplace(id, OpenIntent{last_offset_, last_bytes_});
  ensure(added, "an intent is opened once");
  open_intent_bytes_ += frame_bytes(last_bytes_);
}

void Lane::intent_closed(const ExchangeId& id) noexcept {
  const auto found = open_intents_.find(id);
  if (found == open_intents_.end()) return;
  open_intent_bytes_ -= frame_bytes(found->second.payload_bytes);
  open_intents_.erase(found);
}

Result<void> Lane::flush() {
  if (!segment_ || mapped_) return {};
  auto written = segment_->file->flush(cursor_);
  if (written) flushed_sequence_.store(lane_sequence_, std::memory_order_release);
  return written;
}

void Lane::sync_with(Syncer& syncer) {
  syncer_ = &syncer;
  syncer.entered(number_, segment_->file->path(), frames_before_ + 1);
}

}  // namespace segue::recorder
