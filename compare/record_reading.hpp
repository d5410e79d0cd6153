#pragma once

#include <optional>
#include <string_view>

#include "recorder/exchange.pb.h"

namespace segue::compare {

// What says whether a record takes part in a comparison, read where it lies. Views into the record;
// empty: not there.
struct RecordHead {
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  std::string_view id;
  std::string_view parent_id;
  std::string_view route;
  std::string_view shadow;  // of its decision
};

// nullopt: not an exchange.
std::optional<RecordHead> read_head(std::string_view record) noexcept;

// Parses what comparing needs, which is the response with its timings; of the request it takes
// method, authority and target. False: not an exchange; `into` is then anything.
bool parse_for_comparing(std::string_view record, v1::Exchange& into);

// Lets go of what parse_for_comparing() would not have taken.
void keep_for_comparing(v1::Exchange& exchange);

}  // namespace segue::compare
