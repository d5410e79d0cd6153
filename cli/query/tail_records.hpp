#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/exchange_reader.hpp"
#include "cli/source.hpp"
#include "recorder/exchange.pb.h"
#include "recorder/journal/reader.hpp"
#include "warehouse/archive/archived_listing.hpp"

namespace segue::cli {

// Records that are in a source and in no file of a listing: what was not archived yet. Each once;
// FINISH records among them. One thread.
class TailRecords {
 public:
  virtual ~TailRecords() = default;
  // Null: there are no more. Valid until the next call. Throws StartupError, RemoteError.
  virtual v1::Exchange* next() = 0;
  // Whether the record that was given last says that it may have been there before.
  virtual bool may_be_twice() const { return false; }
  // On standard error: what was found damaged.
  virtual void tell() = 0;
};

// Of a journal, or of a topic. The listing outlives it; null: nothing is archived, everything
// comes. `since`: what is older may be left out, Unix microseconds. Throws StartupError, RemoteError.
std::unique_ptr<TailRecords> open_tail(const Source& source,
                                       const warehouse::ArchivedListing* listing,
                                       std::int64_t since);

}  // namespace segue::cli
