#include "cli/archive_exchanges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

#include "cli/figures.hpp"
#include "cli/interruption.hpp"
#include "exchange/id.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/sql/views.hpp"

namespace segue::cli {
namespace {

using warehouse::Day;
using warehouse::Engine;

constexpr std::int64_t kBeginning = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kOpenEnd = std::numeric_limits<std::int64_t>::max();
// An exchange is claimed on the day it was made, or soon after.
constexpr std::chrono::days kUsualDelay{1};
// An exchange that became a tunnel ends whenever that does.
constexpr std::uint32_t kSwitchingProtocols = 101;

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string moment(std::int64_t unix_micros) {
  return fmt::format("make_timestamp({})", unix_micros);
}

}  // namespace

ArchiveExchanges::ArchiveExchanges(const ArchiveSource& source, ArchiveRange range)
    : name_(source.location.name()),
      range_(std::move(range)),
      store_(warehouse::open_store(source.location, source.s3, interrupted)),
      archive_(warehouse::Archive::open(*store_)),
      end_(engine_) {
  warehouse::mount_to_ask(engine_, *store_);
  look();
  if (range_.last_records != 0) keep_last();
  if (range_.ids) plan_ids();
}

ArchiveExchanges::~ArchiveExchanges() = default;

// The files there are, by day; of an archive that is followed those that were not known.
void ArchiveExchanges::look() {
  looked_ = std::chrono::steady_clock::now();
  const bool again = !known_.empty();
  std::optional<Day> since;
  if (range_.since > 0) since = warehouse::day_of(range_.since);
  for (const warehouse::StoredObject& object : archive_.files(since)) {
    const auto day = warehouse::day_of_key(object.key);
    if (!day || !known_.insert(object.key).second) continue;
    // What was compacted meanwhile was read before.
    if (again && !object.key.starts_with(warehouse::raw_folder())) continue;
    ArchivedDay& of = days_[*day];
    of.paths.push_back(warehouse::sql_path(object.key));
    of.bytes += object.bytes;
  }
}

bool ArchiveExchanges::look_again() {
  if (range_.follow == ArchiveRange::Follow::no) return false;
  if (std::chrono::steady_clock::now() - looked_ < kLook) return false;
  look();
  return !days_.empty();
}

std::string ArchiveExchanges::where(std::int64_t after, std::int64_t until) const {
  std::string condition = "WHERE kind IS NOT NULL";
  if (range_.since > 0) condition += " AND created_at >= " + moment(range_.since);
  if (after != kBeginning) condition += " AND created_at > " + moment(after);
  if (until != kOpenEnd) condition += " AND created_at <= " + moment(until);
  if (!range_.condition.empty()) condition += " AND " + range_.condition;
  return condition;
}

// Leaves out what is older than the last so many, day by day from the newest one.
void ArchiveExchanges::keep_last() {
  std::vector<std::string> paths;
  for (auto day = days_.rbegin(); day != days_.rend(); ++day) {
    paths.insert(paths.end(), day->second.paths.begin(), day->second.paths.end());
    warehouse::add_archived(engine_, paths);
    std::optional<std::int64_t> first;
    engine_.ask(fmt::format("SELECT epoch_us(created_at)::VARCHAR FROM archived {} ORDER BY "
                            "created_at DESC LIMIT 1 OFFSET {}",
                            where(kBeginning, kOpenEnd), range_.last_records - 1),
                [&first](const Engine::Row& row) { first = number(row.front()); });
    if (!first) continue;
    range_.since = std::max(range_.since, *first);
    days_.erase(days_.begin(), std::prev(day.base()));
    return;
  }
}

// First where an exchange usually lies, by its id's own time, then everywhere else.
void ArchiveExchanges::plan_ids() {
  std::vector<std::string> usual;
  std::vector<std::string> others;
  const auto low = ExchangeId::parse(range_.ids->low);
  const auto high = ExchangeId::parse(range_.ids->high);
  const Day from = warehouse::day_of(low ? low->unix_millis() * 1000 : 0);
  const Day last = warehouse::day_of(high ? high->unix_millis() * 1000 : 0) + kUsualDelay;
  for (const auto& [day, files] : days_) {
    auto& into = day >= from && day <= last ? usual : others;
    into.insert(into.end(), files.paths.begin(), files.paths.end());
  }
  days_.clear();
  const auto between = [this](const char* column) {
    return fmt::format("{} BETWEEN {} AND {}", column, warehouse::sql_literal(range_.ids->low),
                       warehouse::sql_literal(range_.ids->high));
  };
  const std::string rows =
      fmt::format("(FROM {{0}} WHERE {} UNION ALL BY NAME FROM {{0}} WHERE kind = 'FINISH' AND {})",
                  between("id") + " AND kind IS NOT NULL", between("parent_id"));
  const std::pair<const char*, std::vector<std::string>*> looks[] = {{"elsewhere", &others},
                                                                     {"archived", &usual}};
  for (const auto& [view, paths] : looks) {
    if (paths->empty()) continue;
    warehouse::add_archived(engine_, *paths, view);
    statements_.push_back(fmt::format(fmt::runtime(rows), view));
  }
}

bool ArchiveExchanges::next_day() {
  if (days_.empty()) return false;
  const ArchivedDay day = std::move(days_.begin()->second);
  days_.erase(days_.begin());
  slice_up(day);
  planned_bytes_ += day.bytes;
  return true;
}

// Moments between which so many rows lie, and for each the files that have some: so that none of a
// day's many files is opened in vain.
void ArchiveExchanges::slice_up(const ArchivedDay& day) {
  warehouse::add_archived(engine_, day.paths);
  engine_.ask("SELECT count(*)::VARCHAR FROM archived WHERE kind IS NULL",
              [this](const Engine::Row& row) {
                others_ += static_cast<std::uint64_t>(number(row.front()));
              });
  std::vector<Slice> slices;
  std::int64_t after = kBeginning;
  engine_.ask(
      fmt::format("SELECT epoch_us(max(created_at))::VARCHAR, count(*)::VARCHAR FROM (SELECT "
                  "created_at, row_number() OVER (ORDER BY created_at) AS n FROM archived {}) "
                  "GROUP BY (n - 1) // {} ORDER BY max(created_at)",
                  where(kBeginning, kOpenEnd), kSliceRows),
      [&](const Engine::Row& row) {
        const std::int64_t until = number(row.front());
        planned_ += static_cast<std::uint64_t>(number(row.back()));
        if (until != after) slices.push_back({after, until, {}});
        after = until;
      });
  engine_.ask(
      "SELECT filename, epoch_us(min(created_at))::VARCHAR, epoch_us(max(created_at))::VARCHAR "
      "FROM (SELECT created_at, filename FROM archived) WHERE created_at IS NOT NULL GROUP BY 1",
      [&slices](const Engine::Row& row) {
        for (Slice& slice : slices)
          if (slice.until >= number(row[1]) && slice.after < number(row[2]))
            slice.paths.emplace_back(row[0]);
      });
  slices_.assign(std::make_move_iterator(slices.rbegin()), std::make_move_iterator(slices.rend()));
}

bool ArchiveExchanges::open_next() {
  rows_.reset();
  if (!statements_.empty()) {
    rows_ = std::make_unique<warehouse::RecordRows>(engine_, statements_.back());
    statements_.pop_back();
    return true;
  }
  while (slices_.empty())
    if (!next_day() && (!look_again() || !next_day())) return false;
  const Slice slice = std::move(slices_.back());
  slices_.pop_back();
  warehouse::add_archived(engine_, slice.paths);
  rows_ = std::make_unique<warehouse::RecordRows>(
      engine_, fmt::format("archived {} ORDER BY created_at, source, \"partition\", \"offset\"",
                           where(slice.after, slice.until)));
  return true;
}

bool ArchiveExchanges::next(v1::Exchange& exchange) {
  while (rows_ != nullptr || open_next()) {
    warehouse::RecordRow* const row = rows_->next();
    if (row == nullptr) {
      rows_.reset();
      continue;
    }
    ++passed_;
    if (!row->is_exchange) {
      ++others_;
      continue;
    }
    if (seen_.seen_before(row->exchange.id())) {
      ++duplicates_;
      continue;
    }
    // Found where it was to be looked for first, so nothing is elsewhere.
    if (range_.ids && row->exchange.response().status() != kSwitchingProtocols)
      statements_.clear();
    exchange = std::move(row->exchange);
    return true;
  }
  return false;
}

std::uint64_t ArchiveExchanges::expected() const {
  std::uint64_t to_come = 0;
  for (const auto& [day, files] : days_) to_come += files.bytes;
  if (planned_bytes_ == 0) return planned_;
  return planned_ + static_cast<std::uint64_t>(static_cast<double>(planned_) /
                                               static_cast<double>(planned_bytes_) *
                                               static_cast<double>(to_come));
}

void ArchiveExchanges::tell() {
  if (others_ != 0)
    fmt::print(stderr, "seguectl: {}: {} records are no exchanges and were skipped\n", name_,
               grouped(others_));
  if (duplicates_ != 0)
    fmt::print(stderr,
               "seguectl: {}: {} records were there twice (sent again) and are shown once\n", name_,
               grouped(duplicates_));
  others_ = duplicates_ = 0;
}

}  // namespace segue::cli
