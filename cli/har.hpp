#pragma once

#include <string>

#include "recorder/exchange.pb.h"

namespace segue::cli {

// An HTTP Archive of one entry (HAR 1.2, http://www.softwareishard.com/blog/har-12-spec/), as
// browsers import it. What HAR has no name for begins with "_segue".
std::string exchange_har(const v1::Exchange& exchange);

}  // namespace segue::cli
