#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exchange/ensure.hpp"
#include "exchange/error.hpp"
#include "exchange/id.hpp"
#include "recorder/journal/counters.hpp"
#include "recorder/journal/crc32c.hpp"
#include "recorder/journal/damage.hpp"
#include "recorder/journal/format.hpp"
#include "recorder/journal/storage.hpp"
#include "recorder/promise.hpp"
#include "recorder/settings.hpp"
#include "runtime/clock.hpp"

namespace segue::recorder {

struct Segment;
class SegmentPool;
class Syncer;

// What a lane with segments of this size takes at most: half of one.
std::size_t largest_payload_in(std::uint64_t segment_bytes) noexcept;

// Which room an append may use. An intent reserves room for its exchange without bodies, so that
// `refuse` never strikes after the backend has written.
enum class Room : std::uint8_t { free, reserved };

// One core's end of the journal. Owned by its Journal; used by one thread only. Never blocks and
// makes no system call on the usual path; a late keeper costs a page fault or a synchronous
// segment switch, both counted.
class Lane {
 public:
  Lane(std::uint32_t number, SegmentPool& pool, int keeper_event);
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  // Enters the first segment, which the keeper has prepared.
  void start();

  // Room for a frame of exactly `payload_bytes`, in the map: fill it, then commit(). Fails with
  // at_fault journal when there is no room; nothing is changed then. One open frame at a time;
  // beginning another discards the one that was not committed. The payload of an intent or an
  // exchange begins with field 1, the id: 0A 10 and 16 raw bytes; none is empty.
  Result<std::span<char>> begin(FrameKind kind, std::size_t payload_bytes,
                                Room room = Room::free) {
    ensure(payload_bytes != 0, "a journal frame is never empty");
    const std::uint64_t limit = room == Room::free ? free_limit_ : end_;
    if (cursor_ + frame_bytes(payload_bytes) > limit || payload_bytes > max_payload_ ||
        kind == FrameKind::intent) [[unlikely]] {
      if (auto found = make_room(kind, payload_bytes, room); !found) return found.error();
    }
    open_kind_ = kind;
    open_bytes_ = static_cast<std::uint32_t>(payload_bytes);
    return std::span<char>(base_ + cursor_ + sizeof(FrameHeader), payload_bytes);
  }

  // CRC, header, end mark, then the length word (release): from here on a crash of the process
  // loses nothing.
  void commit() noexcept {
    ensure(open_bytes_ != 0, "commit() without begin()");
    store_frame(0);
    open_bytes_ = 0;
    if (cursor_ >= signal_at_) [[unlikely]]
      cross_window();
  }

  // Keeps room aside for the exchange of an intent, a frame of `bytes` payload; given back by
  // release() with the same number.
  Result<void> reserve(std::size_t bytes);
  void release(std::size_t bytes) noexcept;

  // The intent of `id` was committed as the last frame / has its exchange now. Open intents are
  // appended again before their segment is recycled.
  void intent_opened(const ExchangeId& id) noexcept;
  void intent_closed(const ExchangeId& id) noexcept;

  // lane_sequence of the last committed frame; 0: none yet.
  std::uint64_t last_sequence() const noexcept { return lane_sequence_; }

  // Whether room must be kept for what may not be lost: SegmentPool::scarce().
  bool scarce() const noexcept;

  // The largest payload a frame may have: half a segment.
  std::size_t max_payload() const noexcept { return max_payload_; }

  // Once per turn of the event loop, and before the last byte of a response is sent: where the
  // file system cannot be mapped, writes what was committed. Nothing to do elsewhere. What a
  // failure left is written by the next call.
  Result<void> flush();

  // Any thread: lane_sequence of the last frame that is in the file, for readers and for a sync;
  // where nothing is mapped, of the last that was flushed.
  std::uint64_t readable_sequence() const noexcept {
    return mapped_ ? counters_.frames.value() : flushed_sequence_.load(std::memory_order_acquire);
  }

  // Before its user begins: tells the syncer of every segment it enters, of this one now.
  void sync_with(Syncer& syncer);

  // Any thread. Its `frames` is the lane_sequence of the last frame, too.
  const LaneCounters& counters() const noexcept { return counters_; }

 private:
  friend class Keeper;

  struct OpenIntent {
    std::uint64_t offset;
    std::uint32_t payload_bytes;
  };
  struct IdHash {
    std::size_t operator()(const ExchangeId& id) const noexcept;
  };

  void store_frame(std::uint8_t flags) noexcept {
    char* const at = base_ + cursor_;
    auto* const header = reinterpret_cast<FrameHeader*>(at);
    header->kind = open_kind_;
    header->flags = flags;
    header->reserved = 0;
    header->reserved2 = 0;
    header->lane_sequence = ++lane_sequence_;
    header->commit_ns = runtime::monotonic_now();
    header->crc = crc32c(frame_seed(seed_, open_bytes_), at + kCrcOffset,
                         sizeof(FrameHeader) - kCrcOffset + open_bytes_);
    const std::uint64_t whole = frame_bytes(open_bytes_);
    // Left by a longer frame that was begun here and discarded.
    reinterpret_cast<FrameHeader*>(at + whole)->length = 0;
    std::atomic_ref(header->length).store(open_bytes_, std::memory_order_release);
    last_offset_ = cursor_;
    last_bytes_ = open_bytes_;
    cursor_ += whole;
    counters_.frames.add(1);
    counters_.bytes.add(whole);
  }

  Result<void> make_room(FrameKind kind, std::size_t payload_bytes, Room room);
  Result<void> find_spare();
  Result<void> switch_segment();
  void carry_over(const Segment& former) noexcept;
  void enter(std::unique_ptr<Segment> segment) noexcept;
  bool has_spare();
  std::unique_ptr<Segment> take_spare() noexcept;
  void set_free_limit();
  void cross_window() noexcept;
  void wake_keeper() const noexcept;
  Error full() noexcept;

  // Hot: touched by every append.
  char* base_ = nullptr;
  std::uint64_t cursor_ = 0;
  std::uint64_t free_limit_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t signal_at_ = 0;
  const std::size_t max_payload_;
  std::uint64_t lane_sequence_ = 0;
  std::uint32_t seed_ = 0;
  std::uint32_t open_bytes_ = 0;
  FrameKind open_kind_ = FrameKind::exchange;
  std::uint32_t last_bytes_ = 0;
  std::uint64_t last_offset_ = 0;
  LaneCounters counters_;

  const std::uint32_t number_;
  SegmentPool& pool_;
  const int keeper_event_;
  const std::uint64_t half_;        // of a segment: for reservations and open intents together
  std::uint64_t reserved_ = 0;      // bytes of frames
  std::uint64_t open_intent_bytes_ = 0;
  boost::unordered_flat_map<ExchangeId, OpenIntent, IdHash> open_intents_;
  std::uint64_t frames_before_ = 0;  // lane_sequence_ when the segment was entered
  bool mapped_ = true;
  std::atomic<std::uint64_t> flushed_sequence_{0};
  Syncer* syncer_ = nullptr;
  std::unique_ptr<Segment> segment_;
  std::unique_ptr<Segment> held_;    // a spare that the lane has taken but not entered

  // Shared with the keeper.
  alignas(64) std::atomic<Segment*> current_{nullptr};  // the lane's word
  std::atomic<Segment*> spare_{nullptr};  // from the keeper, taken by the lane
  // The lane asked the pool itself and found nothing; only the keeper tries again.
  std::atomic<bool> starved_{false};
};

// The journal of one process: a run folder under the directory, its lock, one lane a core, and
// the keeper thread. Made at start, ended after the last lane's user is gone; ending it seals
// the segments. Throws StartupError with one clear line: cannot create or write the folder, not
// enough space, segments too small for the bodies.
class Journal {
 public:
  // `largest_payload`: twice bodies.max with heads. Dead runs are recovered (open intents become
  // INTERRUPTED exchanges) and sealed first, under their lock. `storage` must outlive the journal.
  Journal(const JournalSettings& settings, unsigned lanes, std::size_t largest_payload,
          const Storage& storage = Storage::system());
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  Lane& lane(unsigned index);
  unsigned lanes() const noexcept;
  const JournalSettings& settings() const noexcept;

  // For durability: disk. Before the lanes are used, once: starts the thread that syncs when somebody
  // wants it. From then on segments are recycled only when they were synced. Syncs the folders that
  // were made for the journal; throws StartupError when that fails.
  // `failure_hold`: how long frames stay behind a failed sync, see synced().
  void sync_on_demand(std::chrono::milliseconds failure_hold = std::chrono::minutes{10});
  // After sync_on_demand(): how far the lane's frames are on the disk, so that a power cut leaves
  // them. Lives as long as the journal. Where nothing is mapped, flush() comes before want(). A sync
  // that failed is counted, and that segment's frames never get there. Once the lane has left the
  // segment and `failure_hold` has passed, the promise goes on with later ones; so whoever waits must
  // have given up by then.
  Promise& synced(unsigned lane);

  // Any thread. Removes dead runs that every consumer has passed, now and not only when a lane needs
  // a segment, and counts what other processes' runs take.
  void look_around();

  // Any thread.
  JournalStatus status() const;
  // What was found damaged in dead runs at the start.
  const std::vector<Damage>& found_at_start() const noexcept;
  // DIR/<run>; its name is the run's.
  const std::filesystem::path& run() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace segue::recorder
