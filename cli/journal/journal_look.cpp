#include "cli/journal/journal_look.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "recorder/journal/consumers.hpp"
#include "recorder/journal/format.hpp"
#include "recorder/journal/recovery.hpp"
#include "recorder/journal/run_folder.hpp"
#include "recorder/journal/segment_scanner.hpp"

namespace segue::cli {
namespace {

namespace fs = std::filesystem;
using recorder::FileSource;
using recorder::SegmentScanner;
using Standing = ConsumerLook::Standing;

template <class T>
T or_throw(const JournalPlace& place, Result<T> result) {
  if (result) return std::move(*result);
  throw StartupError(fmt::format("{}: {}", place.name(), describe(result.error())));
}

// lane_sequence of the first frame; 0: there is none. A header that is damaged is told.
std::uint64_t first_in(const fs::path& segment, std::vector<std::string>& damage) {
  const auto source = FileSource::open(segment);
  if (!source) return 0;  // gone meanwhile
  const auto header = recorder::read_header(*source);
  const char* const fault = header ? recorder::header_fault(*header) : header.error().doing;
  if (fault != nullptr) {
    damage.push_back(fmt::format("{}: {}", segment.string(), fault));
    return 0;
  }
  const SegmentScanner::Step step = SegmentScanner(*source, *header).next();
  return step.outcome == SegmentScanner::Outcome::frame ? step.header.lane_sequence : 0;
}

LaneLook look_at_lane(const JournalPlace& place, const fs::path& run, std::uint32_t lane,
                      std::vector<std::string>& damage) {
  LaneLook look{.lane = lane};
  for (const std::uint64_t sequence : or_throw(place, recorder::find_segments(run, lane))) {
    const fs::path segment = recorder::segment_path(run, lane, sequence);
    std::error_code gone;
    const auto size = fs::file_size(segment, gone);
    if (gone) continue;
    ++look.segments;
    look.bytes += size;
    const std::uint64_t first = first_in(segment, damage);
    if (look.first == 0) look.first = first;
  }
  look.last = or_throw(place, recorder::last_sequence(run, lane));
  return look;
}

RunLook look_at_run(const JournalPlace& place, const std::string& name,
                    std::vector<std::string>& damage) {
  const fs::path run = place.folder() / name;
  RunLook look{.run = name, .lanes = {}, .configured = {}};
  if (recorder::run_is_sealed(run))
    look.state = RunLook::State::sealed;
  else if (recorder::run_is_locked(run))
    look.state = RunLook::State::runs;
  look.configured = or_throw(place, recorder::configured_consumers(run));
  for (const std::uint32_t lane : or_throw(place, recorder::find_lanes(run)))
    look.lanes.push_back(look_at_lane(place, run, lane, damage));
  return look;
}

// What stands in the runs' folders of cursors; "archiver.claimed" and the like are no consumers.
std::set<std::string> names_of_cursors(const JournalPlace& place, const std::string& run) {
  std::set<std::string> names;
  std::error_code error;
  fs::directory_iterator at(place.folder() / run / "cursors", error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().stem().string();
    if (at->path().extension() == ".json" && name.find('.') == std::string::npos)
      names.insert(name);
  }
  return names;
}

std::map<std::string, Standing> standings(const JournalPlace& place,
                                          const std::vector<RunLook>& runs) {
  std::map<std::string, Standing> found;
  for (const RunLook& run : runs)
    for (const std::string& name : names_of_cursors(place, run.run))
      found.emplace(name, Standing::former);
  for (const std::string& name :
       or_throw(place, recorder::registered_consumers(place.folder())))
    found[name] = Standing::registered;
  if (place.configured())
    for (const std::string& name : *place.configured()) found[name] = Standing::configured;
  for (const RunLook& run : runs)
    if (run.state == RunLook::State::runs)
      for (const std::string& name : run.configured) found[name] = Standing::configured;
  return found;
}

}  // namespace

std::uint64_t RunLook::segments() const {
  std::uint64_t sum = 0;
  for (const LaneLook& lane : lanes) sum += lane.segments;
  return sum;
}

std::uint64_t RunLook::bytes() const {
  std::uint64_t sum = 0;
  for (const LaneLook& lane : lanes) sum += lane.bytes;
  return sum;
}

std::uint64_t ConsumerLook::records() const {
  std::uint64_t sum = 0;
  for (const RunBacklog& run : backlog) sum += run.records;
  return sum;
}

std::uint64_t ConsumerLook::bytes() const {
  std::uint64_t sum = 0;
  for (const RunBacklog& run : backlog) sum += run.bytes;
  return sum;
}

std::int64_t ConsumerLook::oldest_unix_micros() const {
  std::int64_t oldest = 0;
  for (const RunBacklog& run : backlog)
    if (run.oldest_unix_micros != 0 && (oldest == 0 || run.oldest_unix_micros < oldest))
      oldest = run.oldest_unix_micros;
  return oldest;
}

JournalLook look_at_journal(const JournalPlace& place) {
  JournalLook look;
  for (const std::string& run : or_throw(place, recorder::find_runs(place.folder())))
    look.runs.push_back(look_at_run(place, run, look.damage));
  for (const auto& [name, standing] : standings(place, look.runs)) {
    ConsumerLook consumer{.name = name, .standing = standing, .backlog = {}, .trouble = {}};
    consumer.runs = recorder::consumer_is_leased(place.folder(), name);
    auto backlog = journal_backlog(place.folder(), name);
    if (backlog)
      consumer.backlog = std::move(*backlog);
    else
      consumer.trouble = describe(backlog.error());
    look.consumers.push_back(std::move(consumer));
  }
  return look;
}

}  // namespace segue::cli
