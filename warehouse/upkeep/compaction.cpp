#include "warehouse/upkeep/compaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "warehouse/archive/placement.hpp"
#include "warehouse/upkeep/day_merge.hpp"

namespace segue::warehouse {
namespace {

// Objects of a folder that are files of an archive.
std::vector<StoredObject> files_in(ObjectStore& store, const std::string& folder) {
  std::vector<StoredObject> files;
  store.list(folder, "", [&](const StoredObject& object) { files.push_back(object); });
  return files;
}

DayCompaction day_plan(Day day, const std::vector<ClaimState>& inputs) {
  DayCompaction plan;
  plan.day = day;
  plan.inputs = inputs.size();
  for (const ClaimState& state : inputs) {
    plan.rows += state.done->file.rows;
    plan.input_bytes += state.done->file.bytes;
  }
  return plan;
}

const std::vector<ClaimState>& of_day(const DayClaims& claims, Day day) {
  static const std::vector<ClaimState> none;
  const auto found = claims.done.find(day);
  return found == claims.done.end() ? none : found->second;
}

// The day behind the newest claim. From there on nothing is to be compacted, and closing it would
// only drive away what is archived next: for years, where this machine's clock is ahead.
Day behind_newest(const DayClaims& claims) {
  Day newest = Day::min();
  if (!claims.done.empty()) newest = claims.done.rbegin()->first;
  for (const Claim& claim : claims.open) newest = std::max(newest, claim.day);
  return newest == Day::min() ? newest : newest + std::chrono::days(1);
}

}  // namespace

Compactor::Compactor(Archive& archive, Workbench& bench, const CompactionOptions& options,
                     std::int64_t now, UpkeepWatch watch)
    : archive_(archive), bench_(bench), options_(options), now_(now), watch_(std::move(watch)) {}

std::optional<Day> Compactor::first_day(const DayClaims& claims) const {
  auto first = archive_.watermark();
  if (!first && !claims.done.empty()) first = claims.done.begin()->first;
  for (const Claim& claim : claims.open)
    if (!first || (!archive_.watermark() && claim.day < *first)) first = claim.day;
  if (!first || *first >= options_.before) return std::nullopt;
  return first;
}

// Which claim may yet bring a file under `day`, and what to do; empty: none.
std::string Compactor::waiting_for(const DayClaims& claims, Day day) const {
  for (const Claim& claim : claims.open) {
    if (claim.day > day) continue;
    const auto placed = placement(archive_, claim);
    if (placed && *placed > day) continue;
    return fmt::format("dt={} waits for {}, which has no .done: `seguectl archive --once` from "
                       "the same source finishes it, with --give-up also where that has its "
                       "records no more",
                       text_of(day), claim.key());
  }
  return {};
}

// Which file of `day` is not what its books say; empty: none is known.
std::string Compactor::left_alone(const DayClaims& claims, Day day, const Term& term) {
  for (const ClaimState& state : of_day(claims, day))
    if (term.leaves_alone(state.done->path))
      return fmt::format("dt={} waits for {}, which cannot be told for right", text_of(day),
                         state.done->path);
  return {};
}

CompactionReport Compactor::plan() {
  CompactionReport report;
  report.watermark = archive_.watermark();
  const DayClaims claims = read_day_claims(archive_, report.watermark);
  options_.before = std::min(options_.before, behind_newest(claims));
  if (const auto first = first_day(claims)) {
    for (Day day = *first; day < options_.before && report.blocked.empty();
         day += std::chrono::days(1)) {
      report.blocked = waiting_for(claims, day);
      if (!report.blocked.empty()) break;
      if (!of_day(claims, day).empty()) report.days.push_back(day_plan(day, of_day(claims, day)));
      report.watermark = day + std::chrono::days(1);
    }
  }
  remove_raw(report, nullptr);
  report.leftovers = archive_.store().count_leftovers();
  return report;
}

// From now on no file comes to lie under these days but those of claims that are there already:
// whoever claims looks here again behind the claim. The last one closes all before it, also those
// that hold nothing.
void Compactor::close_days(Day from, const DayClaims& claims, Tenure& tenure) {
  tenure.confirm();
  const std::string book = fmt::format("{{\"format_version\":1,\"closed_at\":{}}}", now_);
  const Day last = options_.before - std::chrono::days(1);
  for (Day day = from; day <= last; day += std::chrono::days(1))
    if ((day == last || claims.done.contains(day)) && !archive_.is_closing(day))
      archive_.store().create(closing_key(day), book);
}

CompactionReport Compactor::run() {
  Term term(archive_, "compact");
  Tenure& tenure = term.tenure();
  CompactionReport report;
  report.warnings = term.warnings();
  report.watermark = archive_.watermark();
  const DayClaims known = read_day_claims(archive_, report.watermark);
  options_.before = std::min(options_.before, behind_newest(known));
  if (const auto first = first_day(known)) {
    close_days(*first, known, tenure);
    const DayClaims claims = read_day_claims(archive_, report.watermark);
    for (const auto& [day, inputs] : claims.done)
      if (day < options_.before) rows_total_ += day_plan(day, inputs).rows;
    for (Day day = *first; day < options_.before; day += std::chrono::days(1)) {
      report.blocked = waiting_for(claims, day);
      if (report.blocked.empty()) report.blocked = left_alone(claims, day, term);
      if (!report.blocked.empty()) break;
      report.watermark = day + std::chrono::days(1);
      if (of_day(claims, day).empty()) continue;
      report.days.push_back(compact(day, claims, tenure));
      tenure.confirm();
      archive_.move_watermark(*report.watermark);
    }
    tenure.confirm();
    if (report.watermark && report.watermark != archive_.watermark())
      archive_.move_watermark(*report.watermark);
    if (report.watermark) note_compacted(archive_, claims, *report.watermark);
  }
  remove_raw(report, &tenure);
  report.leftovers = archive_.store().remove_leftovers();
  return report;
}

DayCompaction Compactor::compact(Day day, const DayClaims& claims, Tenure& tenure) {
  ObjectStore& store = archive_.store();
  DayMerge merge(bench_, tenure, day, of_day(claims, day), of_day(claims, day + std::chrono::days(1)),
                 options_.target_bytes);
  // What an earlier run left; nobody reads it before the watermark moves.
  for (const StoredObject& left : files_in(store, compact_folder(day))) {
    tenure.confirm();
    store.remove(left.key);
  }
  std::vector<std::string> earlier;
  for (const StoredObject& file : archive_.files(merge.since()))
    if (*day_of_key(file.key) < day) earlier.push_back(file.key);
  Compaction record;
  record.day = day;
  record.removals = merge.find_removals(earlier);
  record.inputs = merge.inputs();
  for (const DayMerge::Group& group : merge.groups()) {
    watch_.go_on();
    const auto file = bench_.new_file();
    const FileFacts facts = merge.make(group, file);
    tenure.confirm();
    if (store.create_from(group.key, file) == Creation::existed)
      throw StorageError(fmt::format("{}: another process has made {} meanwhile; start again",
                                     store.name(), group.key));
    std::filesystem::remove(file);
    record.outputs.push_back({group.key, facts, now_, 0});
    rows_done_ += group.rows;
    watch_.report(rows_done_, rows_total_);
  }
  if (record.output_rows() + record.removals.size() != record.input_rows())
    throw StorageError(fmt::format("{}: dt={} is not compacted: {} rows and {} removals were made of "
                                   "{} rows",
                                   store.name(), text_of(day), record.output_rows(),
                                   record.removals.size(), record.input_rows()));
  record.compacted_at = now_;
  tenure.confirm();
  store.replace(compaction_key(day), to_json(record));
  DayCompaction done = day_plan(day, of_day(claims, day));
  done.removed = record.removals.size();
  done.outputs = record.outputs.size();
  for (const Done& output : record.outputs) done.output_bytes += output.file.bytes;
  return done;
}

// A null tenure: only counts.
void Compactor::remove_raw(CompactionReport& report, Tenure* tenure) {
  ObjectStore& store = archive_.store();
  const auto watermark = archive_.watermark();
  const auto over = now_ - std::chrono::microseconds(options_.grace).count();
  for (const Day day : compacted_days(store)) {
    if (!watermark || day >= *watermark) break;
    auto record = compaction_of(store, day);
    if (!record || record->raw == Compaction::Raw::removed || record->compacted_at > over) continue;
    std::map<std::string, std::uint64_t> there;
    for (const StoredObject& file : files_in(store, raw_folder(day))) there[file.key] = file.bytes;
    for (const CompactionInput& input : record->inputs) {
      const auto found = there.find(input.path);
      if (found == there.end()) continue;
      ++report.raw_files;
      report.raw_bytes += found->second;
      if (tenure == nullptr) continue;
      watch_.go_on();
      tenure->confirm();
      store.remove(input.path);
    }
    if (tenure == nullptr) continue;
    record->raw = Compaction::Raw::removed;
    store.replace(compaction_key(day), to_json(*record));
  }
}

void remove_unfinished(Archive& archive, Tenure& tenure) {
  const auto watermark = archive.watermark();
  for (const StoredObject& file : files_in(archive.store(), compact_folder())) {
    const auto day = day_of_key(file.key);
    if (!day || (watermark && *day < *watermark)) continue;
    tenure.confirm();
    archive.store().remove(file.key);
  }
}

}  // namespace segue::warehouse
