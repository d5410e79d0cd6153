#include "gateway/listening/descriptor_room.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "gateway/worker.hpp"

namespace segue::gateway {
namespace {

constexpr std::uint64_t kOwn = 64;         // of the process
constexpr std::uint64_t kOwnOfACore = 16;  // its loop, its sockets, its lane of the journal

// As many as the limits of the backends allow.
std::uint64_t wanted_by_backends(const GatewaySettings& settings) noexcept {
  std::uint64_t sum = 0;
  for (const BackendSettings& backend : settings.backends)
    sum += backend.max_connections * std::max<std::size_t>(1, backend.endpoints.size());
  return sum;
}

}  // namespace

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

DescriptorRoom descriptor_room(const GatewaySettings& settings, unsigned cores) noexcept {
  rlimit limit{};
  const bool known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return descriptor_room(settings, cores, known ? limit.rlim_cur : UINT64_MAX);
}

// Where there is not enough for all, each client that is served can have a backend's connection of
// its own: clients get half.
DescriptorRoom descriptor_room(const GatewaySettings& settings, unsigned cores,
                               std::uint64_t limit) noexcept {
  const std::uint64_t own = kOwn + kOwnOfACore * cores;
  const std::uint64_t left = limit > own ? limit - own : 0;
  const std::uint64_t backends = wanted_by_backends(settings);
  const std::uint64_t clients = std::max(left / 2, left > backends ? left - backends : 0);
  return {limit, std::max<std::uint64_t>(1, std::min(settings.limits.connections, clients))};
}

}  // namespace segue::gateway
