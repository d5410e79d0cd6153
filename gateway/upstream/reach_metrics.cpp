#include "gateway/upstream/reach_metrics.hpp"

#include "gateway/upstream/endpoint_addresses.hpp"

namespace segue::gateway {
namespace {

using prometheus::MetricType;
using Labels = MetricsWriter::Labels;

Labels with(Labels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

Labels backend_labels(const BackendSettings& backend) {
  return {{"segue_backend", backend.name}, {"segue_role", backend.role}};
}

// Calls `write` with the labels and the indices of each endpoint that is checked.
template <class Write>
void for_each_checked(const GatewaySettings& settings, Write write) {
  for (std::size_t b = 0; b < settings.backends.size(); ++b) {
    const BackendSettings& backend = settings.backends[b];
    for (std::size_t e = 0; backend.health && e < backend.endpoints.size(); ++e)
      write(with(backend_labels(backend), "endpoint", name_of(backend.endpoints[e])), b, e);
  }
}

void write_checks(const GatewaySettings& settings, const FleetHealth& health, const Counters& sum,
                  MetricsWriter& out) {
  out.family(MetricType::Gauge, "segue_backend_endpoint_healthy",
             "What the active checks of an endpoint say of it.");
  for_each_checked(settings, [&](const Labels& labels, std::size_t backend, std::size_t endpoint) {
    out.value(health.of(backend, endpoint).checked() ? 1 : 0, labels);
  });
  out.family(MetricType::Counter, "segue_backend_endpoint_checks_total",
             "Active checks of an endpoint, by what became of them.");
  for_each_checked(settings, [&](const Labels& labels, std::size_t backend, std::size_t endpoint) {
    for (std::size_t i = 0; i < kCheckResults; ++i)
      out.value(static_cast<double>(sum.checks[backend][endpoint][i]),
                with(labels, "result", name_of(static_cast<CheckResult>(i))));
  });
}

void write_retries(const GatewaySettings& settings, const Counters& sum, MetricsWriter& out) {
  const auto each = [&](auto write) {
    for (std::size_t i = 0; i < sum.backends.size(); ++i)
      if (settings.backends[i].retry_attempts != 0)
        write(backend_labels(settings.backends[i]), sum.backends[i]);
  };
  out.family(MetricType::Counter, "segue_backend_retries_total",
             "Further tries after a failure to connect, by what became of them.");
  each([&](const Labels& labels, const BackendCounts& counts) {
    out.value(static_cast<double>(counts.retries_connected), with(labels, "result", "connected"));
    out.value(static_cast<double>(counts.retries_failed), with(labels, "result", "failed"));
  });
  out.family(MetricType::Counter, "segue_backend_retry_budget_exhausted_total",
             "Further tries that were not made, for the budget was spent.");
  each([&](const Labels& labels, const BackendCounts& counts) {
    out.value(static_cast<double>(counts.retry_budget_exhausted), labels);
  });
}

}  // namespace

void merge_reach(Counters& sum, const Counters& core) {
  sum.fallbacks.resize(core.fallbacks.size());
  for (std::size_t route = 0; route < core.fallbacks.size(); ++route)
    for (std::size_t i = 0; i < kFallbackReasons; ++i)
      sum.fallbacks[route][i] += core.fallbacks[route][i];
  sum.checks.resize(core.checks.size());
  for (std::size_t backend = 0; backend < core.checks.size(); ++backend) {
    sum.checks[backend].resize(core.checks[backend].size());
    for (std::size_t endpoint = 0; endpoint < core.checks[backend].size(); ++endpoint)
      for (std::size_t i = 0; i < kCheckResults; ++i)
        sum.checks[backend][endpoint][i] += core.checks[backend][endpoint][i];
  }
}

void write_reach_metrics(Gateway& gateway, const Counters& sum, MetricsWriter& out) {
  write_checks(gateway.settings(), gateway.fleet().health, sum, out);
  write_retries(gateway.settings(), sum, out);
  out.family(MetricType::Counter, "segue_fallbacks_total",
             "Requests that went to their route's fallback, by why.");
  for (const routing::Route& route : gateway.routes())
    for (std::size_t i = 0; i < kFallbackReasons; ++i)
      if (sum.fallbacks[route.index][i] != 0)
        out.value(static_cast<double>(sum.fallbacks[route.index][i]),
                  {{"route", route.name}, {"reason", name_of(static_cast<FallbackReason>(i))}});
}

}  // namespace segue::gateway
