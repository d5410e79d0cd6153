#include "cli/query/queried_source.hpp"

#include <utility>

#include "cli/exchange_text.hpp"
#include "cli/filters.hpp"
#include "cli/interruption.hpp"
#include "warehouse/sql/exchange_table.hpp"
#include "warehouse/sql/object_files.hpp"
#include "warehouse/sql/parquet_files.hpp"

namespace segue::cli {

using warehouse::Archived;
using warehouse::FinishedOutcomes;
using warehouse::Tail;
using warehouse::Views;

// The tail as the engine reads it. What a FINISH says is put in by the views.
class QueriedSource::Scan : public warehouse::ExchangeSource {
 public:
  explicit Scan(QueriedSource& source)
      : source_(source),
        listing_(source.listing_),
        twins_(source.twins_),
        records_(source.open_tail()) {}
  ~Scan() override {
    if (!source_.told_.exchange(true)) records_->tell();
  }

  const v1::Exchange* next() override {
    while (v1::Exchange* const exchange = records_->next()) {
      if (exchange->kind() == v1::KIND_FINISH) continue;
      if (twins_ && records_->may_be_twice() && twins_->has(*exchange)) continue;
      const std::lock_guard lock(source_.scanning_);
      source_.reading_.unseal(*exchange);
      return exchange;
    }
    return nullptr;
  }

 private:
  QueriedSource& source_;
  const std::shared_ptr<const warehouse::ArchivedListing> listing_;  // outlives the records
  const std::shared_ptr<ArchivedTwins> twins_;
  const std::unique_ptr<TailRecords> records_;
};

QueriedSource::QueriedSource(QueriedParts parts, ReadingOptions& reading)
    : parts_(std::move(parts)), reading_(reading) {
  if (parts_.archive) {
    store_ = warehouse::open_store(parts_.archive->location, parts_.archive->s3, interrupted);
    open_archive();
    warehouse::mount_to_ask(engine_, *store_);
  }
  if (parts_.tail)
    warehouse::add_exchanges(engine_, [this] { return std::make_unique<Scan>(*this); });
  views_ = std::make_unique<Views>(
      engine_, parts_.tail ? Tail::recorded : Tail::none,
      parts_.tail ? [this] { return finishes_of_tail(); } : std::function<FinishedOutcomes()>{});
}

QueriedSource::~QueriedSource() = default;

std::unique_ptr<TailRecords> QueriedSource::open_tail() {
  return cli::open_tail(*parts_.tail, listing_.get(), parts_.since);
}

FinishedOutcomes QueriedSource::finishes_of_tail() {
  FinishedOutcomes outcomes;
  const auto listing = listing_;
  const auto records = open_tail();
  while (const v1::Exchange* const exchange = records->next())
    if (exchange->kind() == v1::KIND_FINISH)
      outcomes.insert_or_assign(id_text(exchange->parent_id()),
                                std::string(outcome_name(exchange->outcome())));
  return outcomes;
}

void QueriedSource::set_accounts(const std::string& account) {
  std::string list = warehouse::sql_literal(account);
  for (const std::string& hash : hashed_accounts({account}, parts_.journal, parts_.keys))
    list += ", " + warehouse::sql_literal(hash);
  engine_.run("SET VARIABLE accounts = [" + list + "]");
}

// An archive that nobody has made yet has nothing; where there is a tail, that is all there is.
void QueriedSource::open_archive() {
  if (parts_.tail && !store_->size(warehouse::archive_key())) return;
  archive_ = warehouse::Archive::open(*store_);
}

void QueriedSource::refresh() {
  told_ = false;
  if (store_ && !archive_) open_archive();
  Views::Files files;
  // Its columns are there before it is made.
  if (store_) files.archive = Archived::yes;
  if (archive_) {
    // First the files, then the tail behind them.
    listing_ = std::make_shared<const warehouse::ArchivedListing>(*archive_);
    if (parts_.tail)
      twins_ = std::make_shared<ArchivedTwins>(engine_, [this] { return open_tail(); });
    const auto first_day = warehouse::day_of(parts_.since);
    for (const warehouse::StoredObject& object : listing_->files())
      if (parts_.since == 0 || warehouse::day_of_key(object.key) >= first_day)
        files.exchanges.push_back(warehouse::sql_path(object.key));
    store_->list(warehouse::comparisons_folder(), "", [&](const warehouse::StoredObject& object) {
      if (object.key.ends_with(".parquet"))
        files.comparisons.push_back(warehouse::sql_path(object.key));
    });
  }
  views_->show(files, parts_.since);
}

}  // namespace segue::cli
