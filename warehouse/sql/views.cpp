#include "warehouse/sql/views.hpp"

#include <fmt/format.h>

#include <utility>

#include "warehouse/sql/comparison_columns.hpp"
#include "warehouse/sql/exchange_columns.hpp"

namespace segue::warehouse {
namespace {

constexpr const char* kPairs = R"(
CREATE OR REPLACE VIEW pairs AS
SELECT p.id, c.id AS copy_id, p.created_at, c.kind, p.route, p.path_template, p.method, p.target,
       p.account_id, p.backend, c.backend AS copy_backend, p.status, c.status AS copy_status,
       c.outcome AS copy_outcome, p.latency_us, c.latency_us AS copy_latency_us,
       p.response_headers, c.response_headers AS copy_response_headers,
       p.response_body, c.response_body AS copy_response_body,
       p.response_body_bytes, c.response_body_bytes AS copy_response_body_bytes
FROM exchanges c JOIN exchanges p ON p.id = c.parent_id
WHERE c.kind IN ('SHADOW', 'CONTROL') AND p.kind = 'PRIMARY')";

// A pair may have been compared again, by other rules.
constexpr const char* kComparisons = R"(
CREATE OR REPLACE VIEW comparisons AS
SELECT * FROM compared
QUALIFY compared_at = max(compared_at) OVER (PARTITION BY id, copy_id))";

// Columns of the archive that the tail lacks are NULL there; its rows are to lie under today.
std::string rows_of(Tail tail, Archived archive) {
  const std::string recorded = "SELECT * FROM recorded_exchanges()";
  const std::string archived =
      "SELECT * EXCLUDE (record, filename) FROM archived WHERE kind <> 'FINISH'";
  if (tail == Tail::none) return archived;
  if (archive == Archived::no) return recorded;
  return fmt::format(
      "{} UNION ALL BY NAME SELECT *, (current_timestamp AT TIME ZONE 'UTC')::DATE AS dt FROM ({})",
      archived, recorded);
}

std::string not_before(std::int64_t since) {
  return since == 0 ? "true" : fmt::format("created_at >= make_timestamp({})", since);
}

// What a FINISH is about was made before it.
FinishedOutcomes archived_finishes(Engine& engine, std::int64_t since) {
  FinishedOutcomes outcomes;
  const auto rows =
      engine.open("SELECT parent_id, arg_max(outcome, created_at) FROM archived WHERE "
                  "kind = 'FINISH' AND parent_id IS NOT NULL AND outcome IS NOT NULL AND " +
                  not_before(since) + " GROUP BY parent_id");
  while (const Engine::Row* const row = rows->next())
    outcomes.insert_or_assign(std::string(row->front()), std::string(row->back()));
  return outcomes;
}

}  // namespace

std::vector<FileColumn> archived_columns() {
  std::vector<FileColumn> columns;
  for (const ExchangeColumn& column : exchange_columns())
    columns.push_back({column.name, std::string(column.sql_type()), column.field_id});
  for (const ArchiveColumn& column : archive_columns())
    columns.push_back({column.name, column.sql_type, column.field_id});
  return columns;
}

void add_archived(Engine& engine, const std::vector<std::string>& paths, std::string_view view) {
  add_files(engine, view, archived_columns(), paths);
}

Views::Views(Engine& engine, Tail tail, std::function<FinishedOutcomes()> finishes_of_tail)
    : engine_(engine), tail_(tail), finishes_of_tail_(std::move(finishes_of_tail)) {}

void Views::show(const Files& files, std::int64_t since) {
  // Each view that is made looks up all the files below it: so they come last.
  add_archived(engine_, {});
  add_files(engine_, "compared", comparison_columns(), {});
  const std::string finished_outcome = fmt::format("finished_outcome_{}", ++shown_);
  if (found_) found_->forget();
  found_ = add_finished_outcome(
      engine_,
      [this, archive = files.archive, since] {
        // Of several the last one counts; the tail is behind the files.
        FinishedOutcomes outcomes =
            finishes_of_tail_ ? finishes_of_tail_() : FinishedOutcomes{};
        if (archive == Archived::yes) outcomes.merge(archived_finishes(engine_, since));
        return outcomes;
      },
      finished_outcome.c_str());
  const std::string condition = since == 0 ? "" : " WHERE " + not_before(since);
  engine_.run(fmt::format("CREATE OR REPLACE VIEW exchanges AS "
                          "SELECT * REPLACE ({}(id, outcome) AS outcome) FROM ({}){}",
                          finished_outcome, rows_of(tail_, files.archive), condition));
  engine_.run(kPairs);
  engine_.run(kComparisons);
  if (!files.exchanges.empty()) add_archived(engine_, files.exchanges);
  if (!files.comparisons.empty())
    add_files(engine_, "compared", comparison_columns(), files.comparisons);
}

}  // namespace segue::warehouse
