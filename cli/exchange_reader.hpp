#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/source.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/reader.hpp"

namespace segue::cli {

// FINISH records by the raw id of their exchange.
using Finishes = std::unordered_map<std::string, v1::Exchange>;

// Exchanges of a source in causal order, FINISH records among them; reading goes on behind what is
// damaged. One thread.
class ExchangeReader {
 public:
  // `since`: nothing that was made before these Unix microseconds is wanted (some may come all
  // the same). `last_segments`: of each lane, 0 for all. Throws StartupError.
  ExchangeReader(const Source& source, std::int64_t since, unsigned last_segments = 0);

  // Null: nothing more for now. Valid until the next call. Throws StartupError when the source
  // cannot be read any more.
  v1::Exchange* next();

  // On standard error: what was found damaged and has not been told yet.
  void tell_damage();

 private:
  std::unique_ptr<recorder::JournalReader> reader_;
  v1::Exchange exchange_;
  std::size_t told_ = 0;
  std::vector<std::string> unreadable_;  // whole frames that are no exchange, untold
};

// One pass over a source for its FINISH records alone: what is said of an exchange may stand
// anywhere behind it, and they are few.
Finishes gather_finishes(const Source& source, std::int64_t since);

}  // namespace segue::cli
