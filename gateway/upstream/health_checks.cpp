#include "gateway/upstream/health_checks.hpp"

#include <fmt/format.h>

#include <random>

#include "gateway/worker.hpp"

namespace segue::gateway {
namespace {

// Host is the endpoint's own name where the backend has none: a Unix socket has neither.
std::string request_of(const BackendSettings& backend, const EndpointSettings& endpoint) {
  std::string host = backend.host;
  if (host.empty()) host = endpoint.socket_path.empty() ? name_of(endpoint) : "localhost";
  return fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: segue-health/{}\r\nAccept: */*\r\n"
      "Connection: close\r\n\r\n",
      backend.health->path, host, SEGUE_VERSION);
}

}  // namespace

std::unique_ptr<HealthChecks> HealthChecks::of(Worker& worker, unsigned cores) {
  const GatewaySettings& settings = worker.settings;
  std::unique_ptr<HealthChecks> all;
  std::random_device random;
  worker.counters.checks.resize(settings.backends.size());
  for (std::size_t i = 0; i < settings.backends.size(); ++i) {
    const BackendSettings& backend = settings.backends[i];
    if (!backend.health) continue;
    worker.counters.checks[i].resize(backend.endpoints.size());
    for (std::size_t k = 0; k < backend.endpoints.size(); ++k) {
      if ((i + k) % cores != worker.core.index()) continue;
      if (!all) all = std::make_unique<HealthChecks>();
      const HealthCheck::Means means{
          worker.core,
          worker.buffers,
          backend,
          backend.endpoints[k],
          worker.fleet.names.of(i, k),
          worker.tls.backends[i],
          {settings.limits.head_bytes, settings.limits.fields, settings.limits.target_bytes},
          worker.fleet.health.of(i, k),
          worker.counters.checks[i][k],
          worker.fleet.notices};
      all->checks_.push_back(std::make_unique<HealthCheck>(
          means, request_of(backend, backend.endpoints[k]), random()));
    }
  }
  return all;
}

void HealthChecks::start() {
  for (const auto& check : checks_) tasks_.spawn(check->run());
}

void HealthChecks::stop() noexcept {
  for (const auto& check : checks_) check->stop();
}

}  // namespace segue::gateway
