#include "cli/query/archived_twins.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/exchange_text.hpp"
#include "warehouse/archive/layout.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::cli {

bool ArchivedTwins::has(const v1::Exchange& exchange) {
  const std::string id = id_text(exchange.id());
  const std::lock_guard lock(looking_);
  if (!asked_.contains(id)) look_up(exchange);
  return found_.contains(id);
}

// The tail may have grown behind the scan that asks: what is new in it is looked up with the rest.
void ArchivedTwins::look_up(const v1::Exchange& exchange) {
  Ids ids{id_text(exchange.id())};
  std::int64_t first = std::max<std::int64_t>(exchange.created_at(), 0);
  const auto records = open_tail_();
  while (const v1::Exchange* const record = records->next()) {
    if (!records->may_be_twice() || record->kind() == v1::KIND_FINISH) continue;
    ids.insert(id_text(record->id()));
    first = std::clamp<std::int64_t>(record->created_at(), 0, first);
  }
  const auto [low, high] = std::ranges::minmax_element(ids);
  // No row lies under a day before that of its exchange.
  const auto rows = engine_.open(
      fmt::format("SELECT id FROM archived WHERE kind <> 'FINISH' AND dt >= DATE '{}' AND id "
                  "BETWEEN {} AND {}",
                  warehouse::text_of(warehouse::day_of(first)), warehouse::sql_literal(*low),
                  warehouse::sql_literal(*high)));
  while (const warehouse::Engine::Row* const row = rows->next()) {
    std::string id(row->front());
    if (ids.contains(id)) found_.insert(std::move(id));
  }
  asked_.merge(ids);
}

}  // namespace segue::cli
