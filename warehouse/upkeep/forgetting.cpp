#include "warehouse/upkeep/forgetting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "warehouse/sql/archive_file.hpp"
#include "warehouse/sql/comparison_columns.hpp"
#include "warehouse/sql/parquet_files.hpp"
#include "warehouse/upkeep/closed_days.hpp"
#include "warehouse/upkeep/compaction.hpp"
#include "warehouse/upkeep/file_books.hpp"

namespace segue::warehouse {
namespace {

constexpr const char* kAccounts = "segue_forgotten_accounts";  // account_id
constexpr const char* kIds = "segue_forgotten_ids";            // id
constexpr std::size_t kStatement = 1 << 16;                    // octets of values, about

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
  if (!is_comparison(key)) return copy_to_parquet(bench.engine(), select, file);
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

void Forgetting::begin_tables() {
  bench_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} (account_id VARCHAR)", kAccounts));
  for (const std::string& account : accounts_)
    bench_.run(fmt::format("INSERT INTO {} VALUES ({})", kAccounts, sql_literal(account)));
  bench_.run(fmt::format("CREATE OR REPLACE TEMP TABLE {} (id VARCHAR)", kIds));
  std::string values;
  const auto insert = [&] {
    if (!values.empty()) bench_.run(fmt::format("INSERT INTO {} VALUES {}", kIds, values));
    values.clear();
  };
  for (const std::string& id : ids_being_forgotten(archive_.store())) {
    values += fmt::format("{}({})", values.empty() ? "" : ", ", sql_literal(id));
    if (values.size() > kStatement) insert();
  }
  insert();
}

std::vector<std::string> Forgetting::found_ids() {
  std::vector<std::string> ids;
  bench_.ask(fmt::format("SELECT DISTINCT id FROM {} WHERE id IS NOT NULL", kIds),
             [&](const Engine::Row& row) { ids.emplace_back(row[0]); });
  return ids;
}

// Whether a row belongs to the account may be said by a row of any other file, so all are asked for
// its exchanges first, and then, where it has some, for the rows that belong to them.
std::vector<Forgetting::Holding> Forgetting::find(std::vector<std::string> files, Term* term,
                                                  ForgettingReport& report) {
  begin_tables();
  std::uint64_t done = 0;
  // Leaves out what cannot be read where a killed `forget` may be why.
  const auto each_file = [&](const std::function<void(const std::string&)>& ask) {
    std::erase_if(files, [&](const std::string& key) {
      watch_.go_on();
      if (term != nullptr) term->confirm();
      try {
        ask(key);
      } catch (const StorageError& error) {
        const auto half = half_forgotten(archive_.store());
        if (std::ranges::find(half, key, &HalfForgotten::key) == half.end()) throw;
        report.warnings.emplace_back(error.what());
        return true;
      }
      watch_.report(++done, files.size() * 3);
      return false;
    });
  };
  each_file([&](const std::string& key) {
    if (!is_comparison(key))
      bench_.run(fmt::format("INSERT INTO {} SELECT DISTINCT id FROM {} WHERE account_id IN (SELECT "
                             "account_id FROM {})",
                             kIds, bench_.rows_of({&key, 1}), kAccounts));
  });
  std::vector<Holding> holdings;
  if (bench_.numbers(fmt::format("SELECT count(*) FROM {}", kIds))[0] == 0) return holdings;
  each_file([&](const std::string& key) {
    const auto counts =
        bench_.numbers(fmt::format("SELECT count(*), count_if(going) FROM (SELECT {} AS going FROM {})",
                                   is_forgotten(key), bench_.rows_of({&key, 1})));
    if (counts[1] != 0) holdings.push_back({key, counts[0], counts[1]});
  });
  return holdings;
}

ForgettingReport Forgetting::plan() {
  ForgettingReport report;
  for (const Holding& holding : find(all_files(report), nullptr, report))
    add(report, holding.key, holding.going);
  return report;
}

ForgettingReport Forgetting::run() {
  Term term(archive_, "forget");
  remove_unfinished(archive_, term.tenure());
  ForgettingReport report;
  report.warnings = term.warnings();
  auto files = all_files(report);
  std::erase_if(files, [&](const std::string& key) { return term.leaves_alone(key); });
  const auto holdings = find(std::move(files), &term, report);
  const bool some_left_alone = !report.unfinished.empty() || !report.warnings.empty();
  if (!holdings.empty()) {
    std::vector<std::string> keys;
    for (const Holding& holding : holdings)
      if (!is_comparison(holding.key)) keys.push_back(holding.key);
    if (!keys.empty()) bench_.refuse_newer(keys);
    term.confirm();
    set_ids_being_forgotten(archive_.store(), found_ids());
  }
  std::uint64_t done = 0;
  for (const Holding& holding : holdings) {
    watch_.go_on();
    rewrite(holding, term);
    add(report, holding.key, holding.going);
    watch_.report(holdings.size() * 2 + ++done, holdings.size() * 3);
  }
  term.confirm();
  if (!holdings.empty()) set_half_forgotten(archive_.store(), term.left_half_forgotten());
  // Files that were left alone are looked through by the next run.
  if (!some_left_alone) set_ids_being_forgotten(archive_.store(), {});
  return report;
}

void Forgetting::rewrite(const Holding& holding, Term& term) {
  ObjectStore& store = archive_.store();
  const auto file = bench_.new_file();
  const std::string kept = fmt::format("SELECT * EXCLUDE (filename) FROM {} WHERE NOT {}",
                                       bench_.rows_of({&holding.key, 1}), is_forgotten(holding.key));
  try {
    copy_like(bench_, holding.key, kept, file);
  } catch (const SqlError& error) {
    throw StorageError(fmt::format("{}: {} cannot be written anew: {}", store.name(), holding.key,
                                   error.what()));
  }
  const auto written = bench_.numbers("SELECT count(*) FROM " + Workbench::rows_of(file));
  if (written[0] + holding.going != holding.rows)
    throw StorageError(fmt::format("{}: {} stays as it is: {} rows were written where {} of {} were "
                                   "to go",
                                   store.name(), holding.key, written[0], holding.going,
                                   holding.rows));
  HalfForgotten half{holding.key, std::nullopt};
  if (!is_comparison(holding.key)) half.becomes = facts_of(bench_.engine(), file);
  // All before it are in the books by now, so that one is named at a time.
  auto named = term.left_half_forgotten();
  named.push_back(half);
  term.confirm();
  set_half_forgotten(store, named);
  store.replace_from(holding.key, file);
  if (half.becomes) say_forgotten(store, holding.key, *half.becomes);
  std::filesystem::remove(file);
}

}  // namespace segue::warehouse
