#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/gateway_process.hpp"
#include "tests/support/scripted_backend.hpp"

namespace segue::test {

// "127.0.0.1:PORT", as an endpoint is written and labelled.
std::string endpoint_at(std::uint16_t port);

// Every request to a backend `legacy` with these endpoints and further keys, on one core.
ConfigText all_to_endpoints(const std::vector<std::string>& endpoints, std::string_view more = {});

// GETs one after the other, each on a connection of its own; their statuses.
std::vector<int> ask(const GatewayProcess& gateway, int times);

// The labels of an endpoint's metrics.
std::vector<std::string> labels_of(const std::string& endpoint);

// Waits until the endpoint is said to be available, or not to be.
void wait_until_available(const GatewayProcess& gateway, const std::string& endpoint);
void wait_until_unavailable(const GatewayProcess& gateway, const std::string& endpoint);

}  // namespace segue::test
