#include "warehouse/restore/archived_range.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "warehouse/archive/compaction_record.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::warehouse {
namespace {

constexpr int kMostLooks = 5;  // at a listing that changes under the look
constexpr std::uint64_t kMostSlice = 16'384;         // offsets: a row group
constexpr std::uint64_t kLeastSlice = 64;            // offsets
constexpr std::uint64_t kSliceBytes = 16ULL << 20;   // as compressed

bool may_hold(const FileFacts& facts, const TimeRange& times) {
  if (facts.max_created_at == 0) return true;
  if (times.since && facts.max_created_at < *times.since) return false;
  return !times.until || facts.min_created_at < *times.until;
}

// The days that are read from compact/, and their files.
struct CompactedDays {
  std::optional<Day> before;
  std::map<Day, std::vector<std::string>> files;

  bool has(Day day) const { return before && day < *before; }
};

// A listing may show nothing of a day whose compaction ends while it goes on: then it is taken again.
CompactedDays find_compacted_days(const Archive& archive) {
  for (int looks = 0; looks < kMostLooks; ++looks) {
    CompactedDays days{.before = archive.watermark(), .files = {}};
    if (!days.before) return days;
    for (const StoredObject& file : archive.files()) {
      const auto day = day_of_key(file.key);
      if (day && file.key.starts_with(compact_folder())) days.files[*day].push_back(file.key);
    }
    if (archive.watermark() == days.before) return days;
  }
  throw StorageError(fmt::format("{}: day after day was compacted while its files were listed; try "
                                 "again when `seguectl compact` is through",
                                 archive.store().name()));
}

// Whether all rows of a compacted day were there a second time, so that it has no file.
bool holds_nothing(const Archive& archive, Day day) {
  const auto compaction = compaction_of(archive.store(), day);
  return compaction && compaction->outputs.empty();
}

std::vector<std::string> files_of(const Archive& archive, const CompactedDays& days, Day day,
                                  const Done& done) {
  if (!days.has(day)) return {done.path};
  const auto files = days.files.find(day);
  if (files != days.files.end()) return files->second;
  if (done.file.rows != 0 && !holds_nothing(archive, day))
    throw StorageError(fmt::format("{}: day {} was compacted, and none of its files is there: see "
                                   "`seguectl verify`",
                                   archive.store().name(), text_of(day)));
  return {};
}

// Claims that follow each other within a compacted day are one range.
void add(ArchivedChain& chain, const Claim& claim, const Done& done,
         std::vector<std::string> keys) {
  if (!chain.ranges.empty()) {
    ArchivedRange& last = chain.ranges.back();
    if (last.end + 1 == claim.start && last.keys == keys) {
      last.end = claim.end;
      last.rows += done.file.rows;
      last.bytes += done.file.bytes;
      return;
    }
  }
  chain.ranges.push_back({.chain = claim.chain,
                          .start = claim.start,
                          .end = claim.end,
                          .rows = done.file.rows,
                          .bytes = done.file.bytes,
                          .keys = std::move(keys)});
}

}  // namespace

std::uint64_t ArchivedRange::slice() const noexcept {
  if (rows == 0 || bytes == 0) return kMostSlice;
  const std::uint64_t offsets = end - start + 1;
  const std::uint64_t slices = bytes / kSliceBytes + 1;
  return std::clamp(offsets / slices, kLeastSlice, kMostSlice);
}

ArchivedChain find_ranges(const Archive& archive, const Chain& chain, const TimeRange& times) {
  ArchivedChain found;
  const CompactedDays compacted = find_compacted_days(archive);
  const std::vector<ClaimState> claims = archive.claims(chain);
  const std::uint64_t genesis = archive.genesis(chain).value_or(0);
  for (const ClaimState& state : claims) {
    const Claim& claim = state.claim;
    if (claim.start < genesis) continue;  // retention is taking it away
    const std::uint64_t offsets = claim.end - claim.start + 1;
    if (claim.kind == Claim::Kind::lost) {
      found.lost += offsets;
      continue;
    }
    if (!state.done) {
      found.unfinished += offsets;
      continue;
    }
    const Done& done = *state.done;
    const auto day = day_of_key(done.path);
    if (!day || !may_hold(done.file, times)) continue;
    found.forgotten += done.forgotten;
    add(found, claim, done, files_of(archive, compacted, *day, done));
  }
  return found;
}

void open_files(Engine& engine, const ArchivedRange& range) {
  std::vector<std::string> paths;
  for (const std::string& key : range.keys) paths.push_back(sql_path(key));
  add_archived(engine, paths);
}

std::string rows_of(const Chain& chain, std::uint64_t first, std::uint64_t last,
                    const TimeRange& times) {
  std::string where = fmt::format(
      "archived WHERE source = {} AND \"partition\" = {} AND \"offset\" BETWEEN {} AND {}",
      sql_literal(chain.topic), sql_literal(chain.partition), first, last);
  if (times.since) where += fmt::format(" AND created_at >= make_timestamp({})", *times.since);
  if (times.until) where += fmt::format(" AND created_at < make_timestamp({})", *times.until);
  return where;
}

}  // namespace segue::warehouse
