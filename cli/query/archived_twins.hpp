#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "cli/query/tail_records.hpp"
#include "recorder/exchange.pb.h"
#include "warehouse/sql/engine.hpp"

namespace segue::cli {

// Which exchanges of a tail the archive has as well: a publisher that was killed sends again what
// the archive may have read since. All of the tail that says so is looked up at once, when the first
// of them is asked about; where nothing says so nothing is looked up. Any thread; the engine, with
// its view `archived` as it was when this was made, outlives it.
class ArchivedTwins {
 public:
  using OpenTail = std::function<std::unique_ptr<TailRecords>()>;
  ArchivedTwins(warehouse::Engine& engine, OpenTail open_tail)
      : engine_(engine), open_tail_(std::move(open_tail)) {}

  // Of a record of the tail that may be there twice, and is no FINISH. Throws SqlError, RemoteError.
  bool has(const v1::Exchange& exchange);

 private:
  using Ids = std::unordered_set<std::string>;
  void look_up(const v1::Exchange& exchange);

  warehouse::Engine& engine_;
  const OpenTail open_tail_;
  std::mutex looking_;
  Ids asked_;  // under `looking_`, as are those that were found
  Ids found_;
};

}  // namespace segue::cli
