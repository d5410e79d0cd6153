#pragma once

#include "gateway/metrics.hpp"
#include "gateway/upstream/endpoint_fleet.hpp"

namespace segue::gateway {

// What is known of each endpoint of each backend.
void write_endpoint_metrics(const GatewaySettings& settings, const Fleet& fleet,
                            MetricsWriter& out);

}  // namespace segue::gateway
