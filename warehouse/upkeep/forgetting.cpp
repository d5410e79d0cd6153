#include "warehouse/upkeep/forgetting.hpp"

#include <fmt/format.h>

#include <utility>

#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/comparison_columns.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/upkeep/closed_days.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/forgetting_mend.hpp"
#include "warehouse/upkeep/row_sql.hpp"

namespace segue::warehouse {
namespace {

constexpr const char* kAccounts = "segue_forgotten_accounts";  // account_id
constexpr const char* kIds = "segue_forgotten_ids";            // id

bool is_comparison(std::string_view key) { return key.starts_with(comparisons_folder()); }

// A row belongs to an account that it names, or to an exchange that does; a comparison belongs to
// the exchanges that it compares.
std::string is_forgotten(std::string_view key) {
  if (is_comparison(key))
    return fmt::format(
        "(coalesce(id IN (SELECT id FROM {0}), false) OR coalesce(copy_id IN (SELECT id FROM {0}), "
        "false))",
        kIds);
  return fmt::format(
      "(coalesce(account_id IN (SELECT account_id FROM {0}), false) OR coalesce(id IN (SELECT id "
      "FROM {1}), false) OR coalesce(parent_id IN (SELECT id FROM {1}), false))",
      kAccounts, kIds);
}

std::string comparison_field_ids() {
  std::string ids;
  for (const FileColumn& column : comparison_columns())
    ids += fmt::format("{}{}: {}", ids.empty() ? "{" : ", ", column.name, column.field_id);
  return ids + "}";
}

// Rows of one of an archive's files to a file as it was.
void copy_like(Workbench& bench, std::string_view key, const std::string& select,
               const std::filesystem::path& file) {
  if (!is_comparison(key)) return copy_to_parquet(bench.engine(), with_all_columns(select), file);
  bench.engine().run(fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, FIELD_IDS {})",
                                 select, sql_literal(file.string()), comparison_field_ids()));
}

ForgettingReport& add(ForgettingReport& report, const std::string& key, std::uint64_t rows) {
  ForgottenDay& day = report.days[*day_of_key(key)];
  ++day.files;
  day.rows += rows;
  return report;
}

// Whether the archiver may still be about to say how a raw file is.
bool is_unfinished(ObjectStore& store, const std::string& key) {
  const auto done_key = done_key_of_raw(key);
  if (!done_key) return false;
  const std::string claim = done_key->substr(0, done_key->rfind('.'));
  return !store.size(*done_key) && store.size(claim);
}

}  // namespace

Forgetting::Forgetting(Archive& archive, Workbench& bench, std::vector<std::string> accounts,
                       UpkeepWatch watch)
    : archive_(archive),
      bench_(bench),
      accounts_(std::move(accounts)),
      watch_(std::move(watch)) {}

// Also those that nobody reads any more, or yet.
std::vector<std::string> Forgetting::all_files(ForgettingReport& report) const {
  ObjectStore& store = archive_.store();
  std::vector<std::string> files;
  for (const std::string& folder : {raw_folder(), compact_folder(), comparisons_folder()})
    store.list(folder, "", [&](const StoredObject& object) {
      if (day_of_key(object.key) && object.key.ends_with(".parquet")) files.push_back(object.key);
    });
  std::erase_if(files, [&](const std::string& key) {
    const bool unfinished = is_unfinished(store, key);
    if (unfinished) report.unfinished.push_back(key);
    return unfinished;
  });
  return files;
}

std::vector<Forgetting::Holding> Forgetting::find(const std::vector<std::string>& files,
                                                  Tenure* tenure) {
  const auto go_on = [&] {
    watch_.go_on();
    if (tenure != nullptr) tenure->confirm();
  };
  bench_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} (account_id VARCHAR)", kAccounts));
  for (const std::string& account : accounts_)
    bench_.run(fmt::format("INSERT INTO {} VALUES ({})", kAccounts, sql_literal(account)));
  bench_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} (id VARCHAR)", kIds));
  std::uint64_t done = 0;
  for (const std::string& key : files) {
    go_on();
    if (!is_comparison(key))
      bench_.run(fmt::format("INSERT INTO {} SELECT DISTINCT id FROM {} WHERE account_id IN (SELECT "
                             "account_id FROM {}) AND id IS NOT NULL",
                             kIds, bench_.rows_of({&key, 1}), kAccounts));
    watch_.report(++done, files.size() * 3);
  }
  std::vector<Holding> holdings;
  for (const std::string& key : files) {
    go_on();
    const auto counts =
        bench_.numbers(fmt::format("SELECT count(*), count_if(going) FROM (SELECT {} AS going FROM {})",
                                   is_forgotten(key), bench_.rows_of({&key, 1})));
    if (counts[1] != 0) holdings.push_back({key, counts[0], counts[1]});
    watch_.report(++done, files.size() * 3);
  }
  return holdings;
}

ForgettingReport Forgetting::plan() {
  ForgettingReport report;
  for (const Holding& holding : find(all_files(report), nullptr))
    add(report, holding.key, holding.going);
  return report;
}

ForgettingReport Forgetting::run() {
  Tenure tenure(archive_.store(), "forget");
  mend_watermark(archive_);
  mend_forgetting(archive_, bench_, tenure);
  remove_unfinished(archive_, tenure);
  ForgettingReport report;
  const auto holdings = find(all_files(report), &tenure);
  if (holdings.empty()) return report;
  std::vector<std::string> keys;
  for (const Holding& holding : holdings) keys.push_back(holding.key);
  tenure.confirm();
  set_files_being_forgotten(archive_.store(), keys);
  std::uint64_t done = 0;
  for (const Holding& holding : holdings) {
    watch_.go_on();
    rewrite(holding, tenure);
    add(report, holding.key, holding.going);
    watch_.report(holdings.size() * 2 + ++done, holdings.size() * 3);
  }
  clear_files_being_forgotten(archive_.store());
  return report;
}

void Forgetting::rewrite(const Holding& holding, Tenure& tenure) {
  const auto file = bench_.new_file();
  const std::string kept = fmt::format("SELECT * EXCLUDE (filename) FROM {} WHERE NOT {}",
                                       bench_.rows_of({&holding.key, 1}), is_forgotten(holding.key));
  try {
    copy_like(bench_, holding.key, kept, file);
  } catch (const SqlError& error) {
    throw StorageError(fmt::format("{}: {} cannot be written anew: {}", archive_.store().name(),
                                   holding.key, error.what()));
  }
  const auto written = bench_.numbers("SELECT count(*) FROM " + Workbench::rows_of(file));
  if (written[0] + holding.going != holding.rows)
    throw StorageError(fmt::format("{}: {} stays as it is: {} rows were written where {} of {} were "
                                   "to go",
                                   archive_.store().name(), holding.key, written[0], holding.going,
                                   holding.rows));
  tenure.confirm();
  archive_.store().replace_from(holding.key, file);
  if (!is_comparison(holding.key))
    say_forgotten(archive_, holding.key, facts_of(bench_.engine(), file));
  std::filesystem::remove(file);
}

}  // namespace segue::warehouse
