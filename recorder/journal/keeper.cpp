#include "recorder/journal/keeper.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>

namespace segue::recorder {
namespace {

constexpr std::uint64_t kWindowsAhead = 2;
// How soon a disk that was full, or consumers that were behind, are asked again.
constexpr int kRetryMs = 20;
// What was retired last is given back even when nothing more is appended, and room that was scarce is
// looked at again.
constexpr int kIdleMs = 1000;

std::uint64_t window_start(std::uint64_t position) noexcept {
  return position / kWindowBytes * kWindowBytes;
}

// Each call handles the part of a segment that its lane's position newly allows.
void move_window(Segment& segment, SegmentPages pages) {
  const std::uint64_t size = segment.file->size();
  const std::uint64_t here = window_start(segment.position.load(std::memory_order_acquire));
  const std::uint64_t ahead = std::min(size, here + (kWindowsAhead + 1) * kWindowBytes);
  const std::uint64_t populated = segment.populated.load(std::memory_order_relaxed);
  if (populated < ahead) {
    segment.file->populate(populated, ahead);
    segment.populated.store(ahead, std::memory_order_release);
  }
  if (pages == SegmentPages::warm) return;
  if (segment.written_back < here) {
    segment.file->start_writeback(segment.written_back, here);
    segment.written_back = here;
  }
  if (here >= kWindowBytes && segment.kept_from < here - kWindowBytes) {
    segment.file->drop(segment.kept_from, here - kWindowBytes);
    segment.kept_from = here - kWindowBytes;
  }
}

}  // namespace

Result<void> Keeper::equip() {
  for (const auto& lane : lanes_) {
    if (auto first = prepare_spare(*lane); !first) return first;
    lane->start();
    if (auto spare = prepare_spare(*lane); !spare) return spare;
  }
  return {};
}

void Keeper::start() {
  thread_ = std::thread([this] { run(); });
}

void Keeper::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event_.get(), &one, sizeof one);
  static_cast<void>(written);
  thread_.join();
}

void Keeper::run() {
  while (!stopping_.load()) {
    lacking_ = false;
    for (const auto& lane : lanes_) serve(*lane);
    pool_.bury();
    pool_.weigh(lacking_ ? SegmentPool::Spares::lacking : SegmentPool::Spares::there);
    sleep();
  }
}

void Keeper::serve(Lane& lane) {
  // The lane may leave this segment meanwhile; it stays whole until bury().
  move_window(*lane.current_.load(std::memory_order_acquire), pool_.pages());
  if (lane.spare_.load(std::memory_order_relaxed) == nullptr) {
    pool_.keep_watch();
    if (!prepare_spare(lane)) lacking_ = true;
  }
}

Result<void> Keeper::prepare_spare(Lane& lane) {
  auto segment = pool_.acquire(lane.number_);
  if (!segment) return segment.error();
  move_window(**segment, pool_.pages());
  lane.spare_.store(segment->release(), std::memory_order_release);
  lane.starved_.store(false, std::memory_order_relaxed);
  return {};
}

void Keeper::sleep() {
  pollfd event{event_.get(), POLLIN, 0};
  const bool again = pool_.burying() || pool_.scarce();
  const int timeout = lacking_ ? kRetryMs : again ? kIdleMs : -1;
  if (::poll(&event, 1, timeout) <= 0) return;
  std::uint64_t count = 0;
  const ssize_t taken = ::read(event_.get(), &count, sizeof count);
  static_cast<void>(taken);
}

}  // namespace segue::recorder
