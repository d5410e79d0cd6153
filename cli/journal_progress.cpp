#include "cli/journal_progress.hpp"

#include <algorithm>
#include <ranges>

#include "cli/progress.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace segue::cli {
namespace {

using recorder::FileSource;
using recorder::SegmentScanner;

// lane_sequence of the first and of the last frame of a segment; zeros: there is none.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

enum class Extent : std::uint8_t { first_frame, whole };

Range range_of(const std::filesystem::path& segment, Extent extent) {
  Range range;
  const auto source = FileSource::open(segment);
  if (!source) return range;
  const auto header = recorder::read_header(*source);
  if (!header) return range;
  SegmentScanner scanner(*source, *header);
  for (;;) {
    const SegmentScanner::Step step = scanner.next();
    if (step.outcome != SegmentScanner::Outcome::frame) return range;
    range.last = step.header.lane_sequence;
    if (range.first == 0) range.first = range.last;
    if (extent == Extent::first_frame) return range;
  }
}

}  // namespace

JournalProgress::Lane& JournalProgress::lane_of(std::string_view run, std::uint32_t lane) {
  const auto is_it = [&](const Lane& one) { return one.lane == lane && one.run == run; };
  if (recent_ < lanes_.size() && is_it(lanes_[recent_])) return lanes_[recent_];
  const auto found = std::ranges::find_if(lanes_, is_it);
  recent_ = static_cast<std::size_t>(found - lanes_.begin());
  if (found == lanes_.end()) lanes_.push_back({std::string(run), lane});
  return lanes_[recent_];
}

void JournalProgress::note(const recorder::Frame& frame) {
  Lane& lane = lane_of(frame.run, frame.lane);
  if (lane.at == 0) lane.first = frame.lane_sequence;
  lane.at = std::max(lane.at, frame.lane_sequence);
}

void JournalProgress::measure() {
  measured_ = true;
  for (const std::string& run : recorder::list_runs(journal_)) {
    const auto lanes = recorder::find_lanes(journal_ / run);
    if (!lanes) continue;
    for (const std::uint32_t lane : *lanes) measure(lane_of(run, lane));
  }
}

// The last segments of a lane may have been made ahead, and be empty.
void JournalProgress::measure(Lane& lane) const {
  const std::filesystem::path run = journal_ / lane.run;
  const std::vector<std::uint64_t> segments = recorder::list_segments(run, lane.lane);
  for (const std::uint64_t sequence : std::views::reverse(segments)) {
    lane.last = range_of(recorder::segment_path(run, lane.lane, sequence), Extent::whole).last;
    if (lane.last != 0) break;
  }
  if (lane.first == 0 && !segments.empty())
    lane.first =
        range_of(recorder::segment_path(run, lane.lane, segments.front()), Extent::first_frame)
            .first;
}

void JournalProgress::show(Progress& progress) {
  if (!progress.due()) return;
  if (!measured_) measure();
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  for (const Lane& lane : lanes_) {
    if (lane.first == 0) continue;
    if (lane.at != 0) done += lane.at - lane.first + 1;
    total += std::max({lane.last, lane.at, lane.first}) - lane.first + 1;
  }
  progress.at(done, total);
}

}  // namespace segue::cli
