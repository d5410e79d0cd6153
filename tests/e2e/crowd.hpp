#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "tests/support/gateway_process.hpp"

namespace segue::test {

// Lets this process, and the programs it starts, open as many descriptors; fails the test where the
// hard limit is lower.
void allow_descriptors(std::size_t count);

// Waits until a gauge is back at zero.
void wait_until_zero(const GatewayProcess& gateway, std::string_view name,
                     const std::vector<std::string>& labels = {});

// Waits until `series` is at least `value`, and gives the most of RssAnon that was seen meanwhile.
std::uint64_t most_memory_until(GatewayProcess& gateway, std::string_view series,
                                const std::vector<std::string>& labels, double value);

}  // namespace segue::test
