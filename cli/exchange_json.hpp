#pragma once

#include <string>

#include "recorder/exchange.pb.h"

namespace segue::cli {

// One exchange as one line of JSON without its newline; docs/exchange.md is the reference.
std::string exchange_json(const v1::Exchange& exchange);

}  // namespace segue::cli
