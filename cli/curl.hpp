#pragma once

#include <string>
#include <string_view>

#include "recorder/exchange.pb.h"

namespace segue::cli {

// A shell command (POSIX sh, curl 7.55 or later) that sends the request again: what was redacted
// or cut stands in comments above it, a body that is not plain text goes through base64.
std::string exchange_curl(const v1::Exchange& exchange);

// Between single quotes: safe in a shell whatever it holds but NUL, which no argument can hold.
std::string shell_quoted(std::string_view text);

}  // namespace segue::cli
