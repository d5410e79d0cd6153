#include "warehouse/archive/journal_lane.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "exchange/error.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace segue::warehouse {
namespace {

namespace fs = std::filesystem;
using recorder::Damage;
using recorder::FileSource;
using recorder::FrameKind;
using recorder::RunLife;
using recorder::SegmentScanner;
using Look = recorder::LaneReader::Look;

// Of records that name no instance.
constexpr const char* kUnnamed = "unnamed";

recorder::ReadOptions every_frame() {
  recorder::ReadOptions options;
  options.intents = true;
  return options;
}

}  // namespace

LaneScan::LaneScan(const fs::path& run, std::string_view run_name, std::uint32_t lane,
                   std::uint64_t next)
    : track{.behind = next - 1}, reader(run, run_name, lane, every_frame(), damage, &track) {}

void LaneScan::look_ahead(RunLife life) {
  while (reader.look(life) == Look::frame) {
    const std::uint64_t at = reader.head().lane_sequence;
    if (reader.head().kind != FrameKind::intent) last_record = at;
    if (!spans.empty() && spans.back().last + 1 == at)
      spans.back().last = at;
    else
      spans.push_back({at, at});
    reader.pop();
  }
}

void LaneScan::drop_before(std::uint64_t lane_sequence) {
  while (!spans.empty() && spans.front().last < lane_sequence) spans.pop_front();
  if (!spans.empty()) spans.front().first = std::max(spans.front().first, lane_sequence);
}

LaneRange::LaneRange(Place place, std::uint64_t from, std::uint64_t to, bool* missing)
    : place_(std::move(place)),
      to_(to),
      missing_(missing),
      track_{.behind = from - 1, .end = place_.end},
      reader_(place_.run, place_.run_name, place_.lane, {}, damage_, &track_) {}

std::optional<SourceRecord> LaneRange::next() {
  // Intents are passed without being shown.
  if (track_.seen + 1 >= to_) return std::nullopt;
  const Look look = reader_.look(place_.life);
  if (track_.missing != 0 && missing_ != nullptr) {
    *missing_ = true;
    throw StartupError(fmt::format(
        "{}: records were overwritten while they were read: what is lost is said, and the rest "
        "read, the next time",
        place_.run.string()));
  }
  if (look == Look::frame && reader_.head().lane_sequence < to_) {
    const recorder::Frame& head = reader_.head();
    const SourceRecord record{.offset = head.lane_sequence, .payload = head.payload};
    reader_.pop();
    return record;
  }
  if (look == Look::nothing && track_.seen + 1 < to_)
    throw StartupError(fmt::format("{}: cannot read records {} to {} now{}{}", place_.run.string(),
                                   track_.seen + 1, to_ - 1, damage_.empty() ? "" : ": ",
                                   damage_.empty() ? "" : text_of(damage_.back())));
  return std::nullopt;
}

std::optional<std::string> instance_in(const fs::path& segment) {
  const auto source = FileSource::open(segment);
  if (!source) return std::nullopt;
  const auto header = recorder::read_header(*source);
  if (!header || recorder::header_fault(*header) != nullptr) return std::nullopt;
  SegmentScanner scanner(*source, *header);
  for (auto step = scanner.next(); step.outcome == SegmentScanner::Outcome::frame;
       step = scanner.next()) {
    if (step.header.kind == FrameKind::finish) continue;
    v1::Exchange exchange;
    if (!exchange.ParseFromArray(step.payload.data(), static_cast<int>(step.payload.size())) ||
        exchange.provenance().instance().empty())
      return kUnnamed;
    return exchange.provenance().instance();
  }
  return std::nullopt;
}

std::optional<std::uint64_t> first_in(const fs::path& run, std::uint32_t lane,
                                      std::uint64_t sequence) {
  const auto source = FileSource::open(recorder::segment_path(run, lane, sequence));
  if (!source) return std::nullopt;
  const auto header = recorder::read_header(*source);
  if (!header || recorder::header_fault(*header) != nullptr || header->sequence != sequence)
    return std::nullopt;
  const SegmentScanner::Step step = SegmentScanner(*source, *header).next();
  if (step.outcome != SegmentScanner::Outcome::frame) return std::nullopt;
  return step.header.lane_sequence;
}

std::optional<std::uint64_t> first_in(const fs::path& run, std::uint32_t lane) {
  for (const std::uint64_t sequence : recorder::list_segments(run, lane))
    if (const auto first = first_in(run, lane, sequence)) return first;
  return std::nullopt;
}

std::string text_of(const Damage& damage) {
  std::string text =
      fmt::format("{}: {} at byte {}", damage.segment.string(), damage.what, damage.offset);
  if (damage.lost != 0) text += fmt::format(", {} frames lost", damage.lost);
  return text;
}

}  // namespace segue::warehouse
