#pragma once

#include <string>

#include "recorder/exchange.pb.h"

namespace segue::cli {

// A shell command (POSIX sh, curl 7.55 or later) that sends the request again: what was redacted
// or cut stands in comments above it, a body that is not plain text goes through base64.
std::string exchange_curl(const v1::Exchange& exchange);

}  // namespace segue::cli
