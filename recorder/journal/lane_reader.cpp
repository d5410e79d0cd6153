#include "recorder/journal/lane_reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "recorder/journal/run_folder.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;
using Outcome = SegmentScanner::Outcome;

// How a segment begins: with a frame, with none (yet, or it is another segment by now), or with a
// header that cannot be read.
struct Beginning {
  enum class State : std::uint8_t { written, empty, damaged };
  State state;
  SegmentHeader segment{};
  FrameHeader frame{};

  bool written() const noexcept { return state == State::written; }
};

bool is_gone(const Error& error) noexcept { return error.code.value() == ENOENT; }

// Fails when it is there and cannot be opened.
Result<Beginning> read_beginning(const fs::path& path, std::uint32_t lane,
                                 std::uint64_t sequence) {
  const auto source = FileSource::open(path);
  if (!source && !is_gone(source.error())) return source.error();
  if (!source) return Beginning{Beginning::State::empty};
  std::array<char, sizeof(SegmentHeader) + sizeof(FrameHeader)> bytes{};
  const auto got = source->read_at(0, bytes);
  Beginning found{Beginning::State::damaged};
  std::memcpy(&found.segment, bytes.data(), sizeof found.segment);
  std::memcpy(&found.frame, bytes.data() + sizeof found.segment, sizeof found.frame);
  if (!got || *got < sizeof found.segment || header_fault(found.segment) != nullptr) return found;
  const bool same = found.segment.lane == lane && found.segment.sequence == sequence;
  found.state = same && found.frame.length != 0 ? Beginning::State::written
                                                : Beginning::State::empty;
  return found;
}

std::int64_t unix_us(const Beginning& first) noexcept {
  const std::int64_t since_created = first.frame.commit_ns - first.segment.created_monotonic_ns;
  return (first.segment.created_unix_ns + since_created) / 1000;
}

}  // namespace

LaneReader::LaneReader(fs::path run, std::string_view run_name, std::uint32_t lane,
                       const ReadOptions& options, std::vector<Damage>& damage, LaneTrack* track)
    : run_(std::move(run)),
      run_name_(run_name),
      lane_(lane),
      options_(options),
      damage_(damage),
      track_(track) {
  if (track_ == nullptr) return;
  track_->passed = track_->behind;
  track_->seen = std::max(track_->seen, track_->behind);
  track_->finished = false;
}

fs::path LaneReader::path(std::uint64_t sequence) const {
  return segment_path(run_, lane_, sequence);
}

LaneReader::Look LaneReader::look(RunLife life) {
  if (head_) return Look::frame;
  if (ended_) return at_end(life);
  if (is_up_to_date(life)) return Look::nothing;
  blocked_ = false;
  for (;;) {
    if (!scanner_ && !(started_ ? open_after(sequence_) : open_first())) return at_end(life);
    const SegmentScanner::Step step = scanner_->next();
    switch (step.outcome) {
      case Outcome::frame:
        if (take(step)) return Look::frame;
        break;
      case Outcome::replaced:
        note(step.offset, 0, "segment was recycled while it was read");
        scanner_.reset();
        break;
      case Outcome::damaged:
      case Outcome::failed:
        if (!std::exchange(damaged_here_, true)) note(step.offset, 0, step.what);
        [[fallthrough]];
      case Outcome::end: {
        const auto next = next_written(life);
        if (!next) return at_end(life);
        // The lane left this segment before it wrote there: what is not here now never comes.
        const SegmentScanner::Step last = scanner_->next();
        if (last.outcome == Outcome::frame) {
          if (take(last)) return Look::frame;
        } else if (!open(*next)) {
          if (blocked_) return Look::nothing;
          scanner_.reset();
          sequence_ = *next;
        }
        break;
      }
    }
  }
}

// A dead run's lane ends with its open intents; their payload says INTERRUPTED. The order and the
// numbers are those that recovery gives them.
LaneReader::Look LaneReader::at_end(RunLife life) {
  if (life == RunLife::alive || blocked_) return Look::nothing;
  if (!std::exchange(ended_, true)) {
    std::error_code error;
    if (!fs::exists(run_, error) && !error) note(0, 0, "run was removed while it was read");
    auto open = open_intents_.take();
    if (life == RunLife::dead)
      for (auto& [id, payload] : open) interrupted_.push_back(std::move(payload));
  }
  if (interrupted_.empty()) {
    if (track_ != nullptr) finish_track();
    return Look::finished;
  }
  shown_ = std::move(interrupted_.front());
  interrupted_.pop_front();
  head_ = Frame{FrameKind::exchange, run_name_, lane_, expected_++, last_commit_ns_, shown_};
  return Look::frame;
}

// A lane of this process tells how far it is without a look at the disk.
bool LaneReader::is_up_to_date(RunLife life) const noexcept {
  return life == RunLife::alive && track_ != nullptr && track_->committed != nullptr &&
         std::max(expected_, track_->behind + 1) > track_->committed->value();
}

void LaneReader::finish_track() noexcept {
  track_->missing += missing_before(track_->end + 1);
  track_->seen = std::max(track_->seen, track_->end);
  track_->passed = std::max(track_->passed, track_->end);
  track_->finished = true;
}

// The last segment that begins at or before the first frame that is wanted. A first frame that does
// not validate says nothing.
bool LaneReader::open_behind() {
  const std::vector<std::uint64_t> there = segments();
  for (auto sequence = there.rbegin(); sequence != there.rend() && !blocked_; ++sequence) {
    if (!open(*sequence)) continue;
    const SegmentScanner::Step first = scanner_->next();
    if (first.outcome != Outcome::frame || first.header.lane_sequence > track_->behind + 1)
      continue;
    started_ = open(*sequence);
    if (started_) return true;
    break;
  }
  scanner_.reset();
  return false;
}

bool LaneReader::open_first() {
  if (track_ != nullptr && track_->behind > 0 && open_behind()) return true;
  if (blocked_) return false;
  const std::vector<std::uint64_t> there = segments();
  if (there.empty()) return false;
  const auto beginning_of = [&](std::size_t at) {
    return read_beginning(path(there[at]), lane_, there[at]);
  };
  // An empty segment, be it in the middle, was prepared for nothing: the lane went on without it.
  std::size_t from = options_.last_segments > 0 ? there.size() : 0;
  for (unsigned wanted = options_.last_segments; wanted > 0 && from > 0;) {
    const auto found = beginning_of(--from);
    if (!found || found->written()) --wanted;
  }
  // A segment ended before the next one that is written began.
  for (std::size_t at = from + 1; options_.since > 0 && at < there.size(); ++at) {
    const auto next = beginning_of(at);
    if (next && next->state == Beginning::State::empty) continue;
    if (!next || !next->written() || unix_us(*next) >= options_.since) break;
    from = at;
  }
  sequence_ = there[from];
  const bool opened = open(sequence_) || (!blocked_ && open_after(sequence_));
  started_ = !blocked_;
  return opened;
}

bool LaneReader::open_after(std::uint64_t sequence) {
  for (const std::uint64_t later : segments()) {
    if (later > sequence && open(later)) return true;
    if (blocked_) return false;
  }
  return false;
}

// None when the lane's folder is gone, and when it cannot be read: then the look ends.
std::vector<std::uint64_t> LaneReader::segments() {
  auto found = find_segments(run_, lane_);
  if (found) return std::move(*found);
  cannot_open(sequence_, found.error());
  return {};
}

// No end, and nothing to skip: the next look tries again.
void LaneReader::cannot_open(std::uint64_t sequence, const Error& error) {
  blocked_ = true;
  if (!std::exchange(blocked_told_, true))
    damage_.push_back({path(sequence), 0, 0, describe(error)});
}

bool LaneReader::open(std::uint64_t sequence) {
  auto source = FileSource::open(path(sequence));
  if (!source) {
    // Recycled meanwhile: lane_sequence shows what is missing.
    if (!is_gone(source.error())) cannot_open(sequence, source.error());
    return false;
  }
  const auto header = read_header(*source);
  const char* const fault = header ? header_fault(*header) : header.error().doing;
  if (fault != nullptr) {
    sequence_ = sequence;
    note(0, 0, fault);
    return false;
  }
  if (header->lane != lane_ || header->sequence != sequence) return false;
  scanner_.reset();
  sequence_ = sequence;
  source_.emplace(std::move(*source));
  scanner_.emplace(*source_, *header);
  damaged_here_ = false;
  open_intents_.begin_segment(loss_in(header->boot_id));
  return true;
}

// The next segment that has a frame: an empty one is prepared, or was prepared for nothing. One
// whose header is damaged counts when the lane has gone on behind it, or is gone.
std::optional<std::uint64_t> LaneReader::next_written(RunLife life) {
  std::optional<std::uint64_t> damaged;
  for (const std::uint64_t later : segments()) {
    if (later <= sequence_) continue;
    const auto found = read_beginning(path(later), lane_, later);
    if (!found) {
      cannot_open(later, found.error());
      return std::nullopt;
    }
    if (found->written()) return damaged ? damaged : later;
    if (found->state == Beginning::State::damaged && !damaged) damaged = later;
  }
  if (blocked_) return std::nullopt;
  return life == RunLife::dead ? damaged : std::nullopt;
}

// Whether the frame is one to show.
bool LaneReader::take(const SegmentScanner::Step& step) {
  const FrameHeader& header = step.header;
  if (expected_ != 0 && header.lane_sequence < expected_) {
    note(step.offset, 0, "lane_sequence goes back");
    return false;
  }
  if (track_ != nullptr && std::exchange(track_->begins_anywhere, false))
    track_->seen = std::max(track_->seen, header.lane_sequence - 1);
  if (const std::uint64_t missing = missing_before(header.lane_sequence); missing > 0)
    note_missing(step.offset, missing);
  open_damage_.reset();
  expected_ = header.lane_sequence + 1;
  last_commit_ns_ = header.commit_ns;
  if (track_ == nullptr) {
    open_intents_.observe(header, step.payload);
  } else {
    track_->seen = std::max(track_->seen, header.lane_sequence);
    if (header.lane_sequence <= track_->behind) return false;
  }
  if (header.kind == FrameKind::intent && !options_.intents) {
    if (track_ != nullptr) track_->passed = header.lane_sequence;
    return false;
  }
  if (track_ != nullptr) track_->passed = header.lane_sequence - 1;
  head_ = Frame{header.kind, run_name_, lane_, header.lane_sequence, header.commit_ns,
                step.payload};
  return true;
}

std::uint64_t LaneReader::missing_before(std::uint64_t lane_sequence) const noexcept {
  if (track_ == nullptr) return expected_ != 0 ? lane_sequence - expected_ : 0;
  return lane_sequence > track_->seen ? lane_sequence - track_->seen - 1 : 0;
}

// A reader that begins again meets the same damage again.
void LaneReader::note(std::uint64_t offset, std::uint64_t lost, const char* what) {
  if (track_ != nullptr &&
      std::any_of(damage_.begin(), damage_.end(), [&](const Damage& known) {
        return known.offset == offset && known.what == what && known.segment == path(sequence_);
      }))
    return;
  open_damage_ = damage_.size();
  damage_.push_back({path(sequence_), offset, lost, what});
}

void LaneReader::note_missing(std::uint64_t offset, std::uint64_t lost) {
  if (track_ != nullptr) track_->missing += lost;
  if (open_damage_) {
    damage_[*open_damage_].lost = lost;
  } else {
    note(offset, lost, "frames are missing before this one");
  }
}

}  // namespace segue::recorder
