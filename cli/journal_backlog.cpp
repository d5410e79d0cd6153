#include "cli/journal_backlog.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "recorder/exchange.pb.h"
#include "recorder/journal/cursor.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace segue::cli {
namespace {

namespace fs = std::filesystem;
using recorder::FileSource;
using recorder::FrameKind;
using recorder::SegmentScanner;

std::int64_t created_at(std::string_view payload) {
  v1::Exchange exchange;
  const bool read = exchange.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  return read ? exchange.created_at() : 0;
}

void add(RunBacklog& backlog, const SegmentScanner::Step& step) {
  const FrameKind kind = step.header.kind;
  if (kind != FrameKind::exchange && kind != FrameKind::finish) return;
  ++backlog.records;
  backlog.bytes += step.payload.size();
}

// One segment: what stands behind `position`. Ends at damage, and where a gateway reuses it.
void add_segment(RunBacklog& backlog, const FileSource& source, std::uint64_t position) {
  const auto header = recorder::read_header(source);
  if (!header) return;
  SegmentScanner scanner(source, *header);
  for (;;) {
    const SegmentScanner::Step step = scanner.next();
    if (step.outcome != SegmentScanner::Outcome::frame) return;
    if (step.header.lane_sequence <= position) continue;
    add(backlog, step);
    if (backlog.records != 1) continue;
    const std::int64_t first = created_at(step.payload);
    if (backlog.oldest_unix_micros == 0) backlog.oldest_unix_micros = first;
  }
}

// lane_sequence of the first frame; nullopt: there is none.
std::optional<std::uint64_t> first_sequence(const FileSource& source) {
  const auto header = recorder::read_header(source);
  if (!header) return std::nullopt;
  const SegmentScanner::Step step = SegmentScanner(source, *header).next();
  return step.outcome == SegmentScanner::Outcome::frame ? std::optional(step.header.lane_sequence)
                                                        : std::nullopt;
}

// Segments from the last one that begins at or before what comes next: older ones are done with.
Result<void> add_lane(RunBacklog& backlog, const fs::path& run, std::uint32_t lane,
                      std::uint64_t position) {
  const auto segments = recorder::find_segments(run, lane);
  if (!segments) return segments.error();
  std::vector<FileSource> wanted;
  for (auto at = segments->rbegin(); at != segments->rend(); ++at) {
    auto source = FileSource::open(recorder::segment_path(run, lane, *at));
    if (!source && source.error().code.value() != ENOENT) return source.error();
    if (!source) continue;  // recycled or removed since it was listed
    const auto first = first_sequence(*source);
    wanted.push_back(std::move(*source));
    if (first && *first <= position + 1) break;
  }
  RunBacklog of_lane;
  for (auto source = wanted.rbegin(); source != wanted.rend(); ++source)
    add_segment(of_lane, *source, position);
  backlog.records += of_lane.records;
  backlog.bytes += of_lane.bytes;
  const std::int64_t oldest = of_lane.oldest_unix_micros;
  if (oldest != 0 && (backlog.oldest_unix_micros == 0 || oldest < backlog.oldest_unix_micros))
    backlog.oldest_unix_micros = oldest;
  return {};
}

}  // namespace

Result<std::vector<RunBacklog>> journal_backlog(const fs::path& journal,
                                                const std::string& consumer) {
  std::error_code error;
  if (!fs::is_directory(journal, error))
    return Error{boost::system::errc::make_error_code(boost::system::errc::not_a_directory),
                 Party::journal, Retry::never, "reading the journal"};
  std::vector<RunBacklog> runs;
  const auto names = recorder::find_runs(journal);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    const fs::path run = journal / name;
    const auto cursor = recorder::load_cursor(run, consumer);
    if (!cursor) return cursor.error();
    RunBacklog backlog{name,
                       recorder::run_is_locked(run) ? RunBacklog::Life::alive
                                                    : RunBacklog::Life::dead,
                       0, 0, 0};
    const auto lanes = recorder::find_lanes(run);
    if (!lanes) return lanes.error();
    for (const std::uint32_t lane : *lanes)
      if (auto added = add_lane(backlog, run, lane, cursor->position(lane)); !added)
        return added.error();
    runs.push_back(std::move(backlog));
  }
  return runs;
}

}  // namespace segue::cli
