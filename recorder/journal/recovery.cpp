#include "recorder/journal/recovery.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "recorder/journal/consumers.hpp"
#include "recorder/journal/crc32c.hpp"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"
#include "recorder/journal/storage.hpp"

namespace segue::recorder {
namespace {

namespace fs = std::filesystem;

// What was committed so long before a run's last frame was written back by age, or the kernel was
// told otherwise (vm.dirty_expire_centisecs is 30 s).
constexpr std::int64_t kWrittenBackNs = 120'000'000'000;

fs::path seal_path(const fs::path& run) { return run / "sealed.json"; }

// How the frames of one segment end.
struct Walk {
  std::uint64_t frames = 0;
  bool begins_whole = false;         // a frame that is not carried over was met
  std::uint64_t last_sequence = 0;   // frames behind damage included
  std::int64_t last_commit_ns = 0;
  std::uint64_t end = 0;             // where the first place without a frame is
  std::optional<Damage> damage;
  bool frames_behind_damage = false;
};

// Of a run that is over.
Result<Walk> walk_segment(const fs::path& path, const ByteSource& source,
                          const SegmentHeader& header, OpenIntents& open) {
  Walk walk;
  SegmentScanner scanner(source, header);
  open.begin_segment(loss_in(header.boot_id));
  SegmentScanner::Step step = scanner.next();
  for (; step.outcome == SegmentScanner::Outcome::frame; step = scanner.next()) {
    open.observe(step.header, step.payload);
    if ((step.header.flags & kCarriedOver) == 0) walk.begins_whole = true;
    ++walk.frames;
    walk.last_sequence = step.header.lane_sequence;
    walk.last_commit_ns = step.header.commit_ns;
  }
  if (step.outcome == SegmentScanner::Outcome::failed) return storage_error(EIO, step.what);
  walk.end = step.offset;
  if (step.outcome == SegmentScanner::Outcome::damaged)
    walk.damage = Damage{path, step.offset, 0, step.what};
  for (auto behind = scanner.resume_after(walk.last_sequence);
       behind.outcome == SegmentScanner::Outcome::frame;
       behind = scanner.resume_after(walk.last_sequence)) {
    if (!walk.damage) walk.damage = Damage{path, step.offset, 0, "end mark within the frames"};
    if (!walk.frames_behind_damage)
      walk.damage->lost = behind.header.lane_sequence - walk.last_sequence - 1;
    walk.frames_behind_damage = true;
    walk.last_sequence = behind.header.lane_sequence;
    walk.last_commit_ns = behind.header.commit_ns;
  }
  return walk;
}

// Behind the last byte that is not zero, at a multiple of 8.
Result<std::uint64_t> end_of_content(const ByteSource& source, std::uint64_t from) {
  std::vector<char> block(256 << 10);
  std::uint64_t end = from;
  for (std::uint64_t at = from;;) {
    const auto got = source.read_at(at, block);
    if (!got) return got.error();
    if (*got == 0) return (end + 7) / 8 * 8;
    for (std::size_t i = *got; i > 0; --i) {
      if (block[i - 1] == 0) continue;
      end = at + i;
      break;
    }
    at += *got;
  }
}

Result<void> cut(const fs::path& path, std::uint64_t size) {
  if (::truncate(path.c_str(), static_cast<off_t>(size)) != 0)
    return storage_error(errno, "cutting a journal segment");
  return {};
}

// One lane of a dead run.
class LaneSealer {
 public:
  // `consumed`: how far any consumer came.
  LaneSealer(fs::path run, std::uint32_t lane, std::uint64_t consumed, SealReport& report)
      : run_(std::move(run)),
        lane_(lane),
        consumed_(consumed),
        report_(report) {}

  // The last lane_sequence of the lane.
  Result<std::uint64_t> seal() {
    auto found = find_segments(run_, lane_);
    if (!found) return found.error();
    segments_ = std::move(*found);
    if (!segments_.empty()) next_segment_ = segments_.back() + 1;
    while (!segments_.empty()) {
      auto tail = seal_tail();
      if (!tail) return tail.error();
      if (*tail) break;
      segments_.pop_back();
    }
    auto open = open_.take();
    if (open.empty()) return last_sequence_;
    // Read, and then lost in a power cut: what is appended now must come behind those cursors.
    last_sequence_ = std::max(last_sequence_, consumed_);
    if (auto written = append_interrupted(open); !written) return written.error();
    report_.recovered_intents += open.size();
    return last_sequence_;
  }

 private:
  // Whether the lane's youngest segment had frames; it is gone otherwise, or left when damaged.
  Result<bool> seal_tail() {
    const std::uint64_t sequence = segments_.back();
    const fs::path path = segment_path(run_, lane_, sequence);
    const auto source = FileSource::open(path);
    if (!source) return source.error();
    const auto header = read_header(*source);
    if (!header || header_fault(*header) != nullptr) {
      report_.empty = false;
      report_.damage.push_back({path, 0, 0, header ? header_fault(*header) : header.error().doing});
      return false;
    }
    // Its process died while it recycled this one: nothing of the former life is left.
    if (header->sequence != sequence || header->lane != lane_) return remove(path);
    auto walk = walk_segment(path, *source, *header, open_);
    if (!walk) return walk.error();
    if (walk->frames == 0 && !walk->damage) return remove(path);
    report_.empty = false;
    header_ = *header;
    last_sequence_ = walk->last_sequence;
    last_commit_ns_ = walk->last_commit_ns;
    if (const std::size_t from = first_of_interest(*walk); from + 1 < segments_.size()) {
      if (auto former = walk_again(from, *source, *header); !former) return former.error();
    }
    if (auto trimmed = trim(path, *source, *walk); !trimmed) return trimmed.error();
    return true;
  }

  // The segment from which on open intents are to be found. Usually the last, which begins with
  // them. Dead while it carried them over: the rest of them is in the segment before. After a power
  // cut: every one that may lack a frame.
  std::size_t first_of_interest(const Walk& tail) const {
    std::size_t from = segments_.size() - 1;
    if (loss_in(header_.boot_id) == OpenIntents::Loss::power_cut) {
      while (from > 0 && begins_after(segments_[from], last_commit_ns_ - kWrittenBackNs)) --from;
    } else if (!tail.begins_whole && from > 0) {
      --from;
    }
    return from;
  }

  // True also when nobody knows.
  bool begins_after(std::uint64_t sequence, std::int64_t commit_ns) const {
    const auto source = FileSource::open(segment_path(run_, lane_, sequence));
    if (!source) return true;
    const auto header = read_header(*source);
    if (!header || header_fault(*header) != nullptr) return true;
    const SegmentScanner::Step first = SegmentScanner(*source, *header).next();
    return first.outcome != SegmentScanner::Outcome::frame || first.header.commit_ns > commit_ns;
  }

  Result<void> walk_again(std::size_t from, const ByteSource& tail,
                          const SegmentHeader& tail_header) {
    open_.take();
    for (; from + 1 < segments_.size(); ++from) {
      const auto source = FileSource::open(segment_path(run_, lane_, segments_[from]));
      if (!source) return source.error();
      const auto header = read_header(*source);
      if (!header || header_fault(*header) != nullptr) continue;  // told by whoever reads it
      if (header->sequence != segments_[from] || header->lane != lane_) continue;
      const auto walk = walk_segment({}, *source, *header, open_);
      if (!walk) return walk.error();
      last_sequence_ = std::max(last_sequence_, walk->last_sequence);
      last_commit_ns_ = std::max(last_commit_ns_, walk->last_commit_ns);
    }
    if (auto walk = walk_segment({}, tail, tail_header, open_); !walk) return walk.error();
    return {};
  }

  Result<void> trim(const fs::path& path, const ByteSource& source, const Walk& walk) {
    if (walk.damage) report_.damage.push_back(*walk.damage);
    if (walk.frames_behind_damage) return {};
    const auto content = end_of_content(source, walk.end);
    if (!content) return content.error();
    // What is damaged stays for whoever wants to look at it; only the zeros behind it go.
    if (walk.damage) return cut(path, *content);
    report_.cut_bytes += *content - walk.end;
    return cut(path, walk.end);
  }

  Result<bool> remove(const fs::path& path) {
    if (::unlink(path.c_str()) != 0) return storage_error(errno, "removing an empty segment");
    return false;
  }

  Result<void> append_interrupted(const std::map<ExchangeId, std::string>& open) {
    const std::uint64_t sequence = next_segment_;
    const std::string run(header_.run.data(), ::strnlen(header_.run.data(), header_.run.size()));
    SegmentHeader header = make_segment_header(header_.boot_id, run, lane_, sequence);
    header.created_monotonic_ns = last_commit_ns_;  // of the boot the run belongs to
    finish_header(header);
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
    for (const auto& [id, payload] : open)
      append_frame(bytes, segment_seed(header), ++last_sequence_, payload);
    return write_segment(segment_path(run_, lane_, sequence), bytes);
  }

  void append_frame(std::string& bytes, std::uint32_t seed, std::uint64_t sequence,
                    const std::string& payload) const {
    FrameHeader frame{};
    frame.length = static_cast<std::uint32_t>(payload.size());
    frame.kind = FrameKind::exchange;
    frame.lane_sequence = sequence;
    frame.commit_ns = last_commit_ns_;
    const auto* const raw = reinterpret_cast<const char*>(&frame);
    frame.crc = crc32c(frame_seed(seed, frame.length), raw + kCrcOffset,
                       sizeof frame - kCrcOffset);
    frame.crc = crc32c(frame.crc, payload.data(), payload.size());
    bytes.append(raw, sizeof frame).append(payload);
    bytes.resize((bytes.size() + 7) / 8 * 8);
  }

  static Result<void> write_segment(const fs::path& path, const std::string& bytes);

  const fs::path run_;
  const std::uint32_t lane_;
  const std::uint64_t consumed_;
  SealReport& report_;
  std::vector<std::uint64_t> segments_;
  OpenIntents open_;
  std::uint64_t next_segment_ = 1;
  SegmentHeader header_{};
  std::uint64_t last_sequence_ = 0;
  std::int64_t last_commit_ns_ = 0;
};

// On the disk before the seal is: a second power cut must not take what the first one left.
Result<void> LaneSealer::write_segment(const fs::path& path, const std::string& bytes) {
  const fs::path making = path.parent_path() / (".new-" + path.filename().string());
  {
    const FileHandle file(::open(making.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return storage_error(errno, "making a journal segment");
    int error = Storage::system().write(file.get(), bytes, 0);
    if (error == 0) error = Storage::system().sync_data(file.get());
    if (error != 0) {
      ::unlink(making.c_str());
      return storage_error(error, "writing interrupted exchanges");
    }
  }
  if (::rename(making.c_str(), path.c_str()) != 0)
    return storage_error(errno, "naming a journal segment");
  if (const int error = Storage::system().sync_folder(path.parent_path()))
    return storage_error(error, "naming a journal segment");
  return {};
}

// A segment that was being made when the process died.
void remove_unfinished(const fs::path& run, std::uint32_t lane) {
  std::error_code error;
  fs::directory_iterator at(run / fmt::to_string(lane), error);
  for (; !error && at != fs::directory_iterator(); at.increment(error))
    if (at->path().filename().string().starts_with(".new-")) ::unlink(at->path().c_str());
}

bool all_have(const fs::path& run, const std::vector<std::string>& configured,
              const std::vector<std::string>& registered, Cursor ConsumedTo::* what) {
  if (configured.empty() && registered.empty()) return true;
  const auto ends = load_sealed(run);
  if (!ends) return false;
  std::vector<std::uint32_t> lanes;
  for (const auto& [lane, end] : ends->lanes) lanes.push_back(lane);
  const auto to = consumed_to(run, configured, registered, lanes);
  return std::all_of(ends->lanes.begin(), ends->lanes.end(), [&](const auto& end) {
    return ((*to).*what).position(end.first) >= end.second;
  });
}

}  // namespace

bool run_is_sealed(const fs::path& run) {
  std::error_code error;
  return fs::exists(seal_path(run), error);
}

Result<Cursor> load_sealed(const fs::path& run) {
  auto ends = load_cursor_file(seal_path(run));
  if (!ends) return ends;
  const auto lanes = find_lanes(run);
  if (!lanes) return lanes.error();
  for (const std::uint32_t lane : *lanes)
    if (!ends->lanes.contains(lane)) return storage_error(EBADMSG, "reading the seal of a run");
  if (lanes->size() != ends->lanes.size())
    return storage_error(ENODATA, "finding the lanes of a sealed run");
  return ends;
}

Result<SealReport> seal_run(const fs::path& run) {
  SealReport report;
  Cursor ends;
  const auto consumed = fastest_cursor(run);
  if (!consumed) return consumed.error();
  const auto lanes = find_lanes(run);
  if (!lanes) return lanes.error();
  for (const std::uint32_t lane : *lanes) {
    remove_unfinished(run, lane);
    const auto last = LaneSealer(run, lane, consumed->position(lane), report).seal();
    if (!last) return last.error();
    ends.lanes[lane] = *last;
  }
  if (auto stored = store_cursor_file(seal_path(run), ends); !stored) return stored.error();
  return report;
}

bool run_is_passed(const fs::path& run, const std::vector<std::string>& configured,
                   const std::vector<std::string>& registered) {
  return all_have(run, configured, registered, &ConsumedTo::passed);
}

bool run_is_free(const fs::path& run, const std::vector<std::string>& configured,
                 const std::vector<std::string>& registered) {
  return all_have(run, configured, registered, &ConsumedTo::free);
}

}  // namespace segue::recorder
