#pragma once

#include "gateway/counters.hpp"
#include "gateway/metrics.hpp"

namespace segue::gateway {

// What was done so that requests reach a backend that serves them: checks of endpoints, retries,
// fallbacks.

// Adds what one core counted of it to `sum`, but for what is counted by backend alone.
void merge_reach(Counters& sum, const Counters& core);
void write_reach_metrics(Gateway& gateway, const Counters& sum, MetricsWriter& out);

}  // namespace segue::gateway
