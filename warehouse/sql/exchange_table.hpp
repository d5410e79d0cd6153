#pragma once

#include <functional>
#include <memory>

#include "recorder/exchange.pb.h"
#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// Exchanges for one scan of a table, read once from the first to the last. Used by one thread at a
// time, though not always by the same.
class ExchangeSource {
 public:
  virtual ~ExchangeSource() = default;
  // Null: there are no more. Valid until the next call. What it throws comes out of the statement.
  virtual const v1::Exchange* next() = 0;
};

using OpenSource = std::function<std::unique_ptr<ExchangeSource>()>;

// Makes the view `exchanges` of what `open` gives, anew for each scan of it: a statement may scan it
// several times. Only the columns that a statement reads are made. Throws SqlError.
void add_exchanges(Engine& engine, OpenSource open);

}  // namespace segue::warehouse
