#include "warehouse/upkeep/day_merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "warehouse/sql/archive_file.hpp"
#include "warehouse/storage/sha256.hpp"
#include "warehouse/upkeep/row_sql.hpp"

namespace segue::warehouse {
namespace {

// Files that are read for one output: each costs memory while it is open.
constexpr std::size_t kMostInputs = 1'000;
constexpr std::size_t kHashDigits = 16;  // of an output's name

constexpr const char* kFinishes = "segue_finishes";  // id, outcome
constexpr const char* kSuspects = "segue_suspects";  // id, kind
constexpr const char* kRemovals = "segue_removals";  // source, partition, offset

std::vector<std::string> paths_of(const std::vector<ClaimState>& states,
                                  const std::function<bool(const FileFacts&)>& wanted) {
  std::vector<std::string> paths;
  for (const ClaimState& state : states)
    if (wanted(state.done->file)) paths.push_back(state.done->path);
  return paths;
}

std::string anti_join_removals(const std::string& rows) {
  return fmt::format("(SELECT * FROM {} ANTI JOIN {} USING ({}))", rows, kRemovals, kPlaceColumns);
}

}  // namespace

DayMerge::DayMerge(Workbench& bench, Tenure& tenure, Day day, std::vector<ClaimState> inputs,
                   const std::vector<ClaimState>& later, std::uint64_t target_bytes)
    : bench_(bench), tenure_(tenure), day_(day), inputs_(std::move(inputs)), since_(day) {
  std::ranges::sort(inputs_, {}, [](const ClaimState& state) {
    return std::pair(state.done->file.min_created_at, state.done->path);
  });
  check_inputs();
  make_groups(target_bytes);
  gather_finishes(later);
  gather_suspects();
}

void DayMerge::check_inputs() {
  std::map<std::string, std::uint64_t> there;
  bench_.store().list(raw_folder(day_), "",
                      [&](const StoredObject& object) { there[object.key] = object.bytes; });
  for (const ClaimState& state : inputs_) {
    const Done& done = *state.done;
    const auto found = there.find(done.path);
    const auto refuse = [&](const std::string& what) {
      throw StorageError(
          fmt::format("{}: {} {}; `seguectl verify` tells all that is amiss, and a file whose .done "
                      "is removed is made again by `seguectl archive --once` while its source has "
                      "the records",
                      bench_.store().name(), done.path, what));
    };
    if (found == there.end()) refuse("is missing");
    if (found->second != done.file.bytes)
      refuse(fmt::format("has {} bytes where its .done says {}", found->second, done.file.bytes));
  }
  if (const auto paths = paths_of(inputs_, [](const FileFacts&) { return true; }); !paths.empty())
    bench_.refuse_newer(paths);
}

void DayMerge::make_groups(std::uint64_t target_bytes) {
  std::string listing = fmt::format("1 {}\n", target_bytes);
  for (const ClaimState& state : inputs_)
    listing += fmt::format("{} {}\n", state.done->path, state.done->file.sha256);
  const std::string hash = sha256_of(listing).substr(0, kHashDigits);
  std::uint64_t bytes = 0;
  for (const ClaimState& state : inputs_) {
    const FileFacts& file = state.done->file;
    if (file.rows == 0) continue;
    if (groups_.empty() || bytes + file.bytes > target_bytes ||
        groups_.back().inputs.size() == kMostInputs) {
      const auto number = static_cast<unsigned>(groups_.size() + 1);
      groups_.push_back({compact_key(day_, number, hash), {}, 0});
      bytes = 0;
    }
    groups_.back().inputs.push_back(state.done->path);
    groups_.back().rows += file.rows;
    bytes += file.bytes;
  }
}

void DayMerge::gather_finishes(const std::vector<ClaimState>& later) {
  const auto has = [](const FileFacts& file) { return file.finishes != 0; };
  std::vector<std::string> paths = paths_of(inputs_, has);
  std::ranges::copy(paths_of(later, has), std::back_inserter(paths));
  if (paths.empty()) return;
  finishes_ = Some::yes;
  tenure_.confirm();
  bench_.run(fmt::format(
      "CREATE OR REPLACE TEMP TABLE {} AS SELECT parent_id AS id, arg_max(outcome, created_at) AS "
      "outcome FROM {} WHERE kind = 'FINISH' AND parent_id IS NOT NULL GROUP BY parent_id",
      kFinishes, bench_.rows_of(paths)));
}

void DayMerge::gather_suspects() {
  const auto paths = paths_of(inputs_, [](const FileFacts& file) { return file.redelivered != 0; });
  bench_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} (\"source\" VARCHAR, \"partition\" "
                         "VARCHAR, \"offset\" BIGINT)",
                         kRemovals));
  if (paths.empty()) return;
  tenure_.confirm();
  bench_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT DISTINCT id, kind FROM {} WHERE "
                         "redelivered AND id IS NOT NULL",
                         kSuspects, bench_.rows_of(paths)));
  suspects_ = Some::yes;
  tenure_.confirm();
  // A row lies in no day before that of its created_at.
  const auto first = bench_.numbers(
      fmt::format("SELECT epoch_us(min(created_at)) FROM {} WHERE redelivered",
                  bench_.rows_of(paths)));
  if (!first.empty() && first[0] != 0)
    since_ = std::min(day_, day_of(static_cast<std::int64_t>(first[0])));
}

const std::vector<Removal>& DayMerge::find_removals(const std::vector<std::string>& earlier) {
  if (suspects_ == Some::no) return removals_;
  tenure_.confirm();
  const auto copies = [&](const std::vector<std::string>& paths, int place) {
    return fmt::format("SELECT id, kind, {}, coalesce(redelivered, false) AS redelivered, {} AS "
                       "place FROM {} SEMI JOIN {} USING (id, kind)",
                       kPlaceColumns, place, bench_.rows_of(paths), kSuspects);
  };
  std::string all = copies(paths_of(inputs_, [](const FileFacts& file) { return file.rows != 0; }),
                           1);
  if (!earlier.empty()) all += " UNION ALL " + copies(earlier, 0);
  // One stays: of an earlier day if there is one, else one that was surely sent once.
  bench_.run(fmt::format(
      "INSERT INTO {1} SELECT {2} FROM (SELECT *, row_number() OVER (PARTITION BY id, kind ORDER BY "
      "place, redelivered, {2}) AS number FROM ({0})) WHERE number > 1 AND place = 1 AND "
      "redelivered",
      all, kRemovals, kPlaceColumns));
  bench_.ask(fmt::format("SELECT \"source\", \"partition\", \"offset\"::VARCHAR FROM {} ORDER BY "
                         "\"source\", \"partition\", \"offset\"",
                         kRemovals),
             [&](const Engine::Row& row) {
               Removal removal{std::string(row[0]), std::string(row[1]), 0};
               std::from_chars(row[2].data(), row[2].data() + row[2].size(), removal.offset);
               removals_.push_back(std::move(removal));
             });
  return removals_;
}

std::string DayMerge::rows_that_stay(const Group& group) const {
  const std::string rows = bench_.rows_of(group.inputs);
  return removals_.empty() ? rows : anti_join_removals(rows);
}

FileFacts DayMerge::make(const Group& group, const std::filesystem::path& file) {
  // The same as cli/ does for a person: only what seemed complete can have ended otherwise.
  const std::string rows =
      finishes_ == Some::no
          ? fmt::format("SELECT * EXCLUDE (filename) FROM {}", rows_that_stay(group))
          : fmt::format("SELECT r.* EXCLUDE (filename) REPLACE (CASE WHEN r.outcome = 'COMPLETED' "
                        "THEN coalesce(f.outcome, r.outcome) ELSE r.outcome END AS outcome) FROM {} "
                        "r LEFT JOIN {} f ON f.id = r.id",
                        rows_that_stay(group), kFinishes);
  const auto part = [&](const char* which) {
    return fmt::format("SELECT * FROM ({}) WHERE {}", rows, which);
  };
  static constexpr const char* kFinish = "coalesce(kind = 'FINISH', false)";
  static constexpr const char* kFailure = "coalesce(outcome <> 'COMPLETED' OR status >= 500, false)";
  const std::string select = fmt::format(
      "{} UNION ALL BY NAME {} UNION ALL BY NAME {}",
      part(fmt::format("NOT {} AND NOT {}", kFinish, kFailure).c_str()),
      part(fmt::format("NOT {} AND {}", kFinish, kFailure).c_str()), part(kFinish));
  try {
    copy_to_parquet(bench_.engine(), select, file);
  } catch (const SqlError& error) {
    throw StorageError(fmt::format("{}: {} cannot be made: {}", bench_.store().name(), group.key,
                                   error.what()));
  }
  check(group, file);
  tenure_.confirm();
  return facts_of(bench_.engine(), file);
}

void DayMerge::check(const Group& group, const std::filesystem::path& file) {
  const auto count = [&](const std::string& rows) {
    tenure_.confirm();
    return bench_.numbers(count_places("FROM " + rows));
  };
  const auto read = count(bench_.rows_of(group.inputs));
  const auto kept = count(rows_that_stay(group));
  const auto written = count(Workbench::rows_of(file));
  const auto refuse = [&](const std::string& what) {
    throw StorageError(fmt::format("{}: dt={} is not compacted: {}; nothing was published, "
                                   "`seguectl verify --deep` tells where it is",
                                   bench_.store().name(), text_of(day_), what));
  };
  if (read[0] != group.rows)
    refuse(fmt::format("{} files from {} on hold {} rows where their .done say {}",
                       group.inputs.size(), group.inputs.front(), read[0], group.rows));
  if (read[1] != read[0])
    refuse(fmt::format("{} files from {} on hold {} records twice", group.inputs.size(),
                       group.inputs.front(), read[0] - read[1]));
  if (written != kept)
    refuse(fmt::format("{} rows were written, {} of them distinct, where {} were to be", written[0],
                       written[1], kept[0]));
}

std::vector<CompactionInput> DayMerge::inputs() const {
  std::vector<CompactionInput> inputs;
  for (const ClaimState& state : inputs_)
    inputs.push_back({state.claim.chain, state.claim.start, state.claim.end, state.done->path,
                      state.done->file.rows, state.done->file.sha256});
  return inputs;
}

}  // namespace segue::warehouse
