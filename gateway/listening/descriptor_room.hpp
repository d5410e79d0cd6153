#pragma once

#include <cstdint>

#include "gateway/settings.hpp"

namespace segue::gateway {

struct GatewaySettings;

// Each connection is a descriptor. Clients may have as many as leaves enough for the gateway's own
// files and sockets (journal, probe listener, access log, Kafka, names) and for connections to
// backends: without those a client that is accepted could not be served.
struct DescriptorRoom {
  std::uint64_t limit;    // RLIMIT_NOFILE of the process
  std::uint64_t clients;  // of them, at most; limits.connections where that is less
};

// Raises the soft limit to the hard one, for 1,024 is a trap.
void raise_descriptor_limit() noexcept;

// What there is for `settings` on this number of cores.
DescriptorRoom descriptor_room(const GatewaySettings& settings, unsigned cores) noexcept;
// The same under a given limit.
DescriptorRoom descriptor_room(const GatewaySettings& settings, unsigned cores,
                               std::uint64_t limit) noexcept;

}  // namespace segue::gateway
