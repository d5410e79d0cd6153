#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "recorder/exchange.pb.h"
#include "warehouse/sql/engine.hpp"

namespace segue::warehouse {

// A record as it was before it was archived.
struct RecordRow {
  std::string source;     // topic of its chain
  std::string partition;
  std::uint64_t offset = 0;
  bool redelivered = false;
  // False: it was no exchange; `octets` is all of it and `exchange` is empty.
  bool is_exchange = false;
  v1::Exchange exchange;
  std::string_view octets;  // of the column `record`
};

// Reads rows of an archive's files back into records: the column `record` has all but the bodies,
// which come from their columns, with content codings undone (`coding_undone` of a body says so).
// One thread; the engine outlives it.
class RecordRows {
 public:
  // `rows`: what has the columns of an archive's files, as it stands behind SELECT ... FROM, with
  // WHERE and ORDER BY. Throws SqlError.
  RecordRows(Engine& engine, const std::string& rows);

  // Null: there are no more. Valid until the next call; its exchange may be taken. Throws SqlError.
  RecordRow* next();

 private:
  std::unique_ptr<Engine::Rows> rows_;
  RecordRow row_;
};

}  // namespace segue::warehouse
