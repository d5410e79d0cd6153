#include "gateway/upstream/endpoint_metrics.hpp"

#include "gateway/upstream/endpoint_addresses.hpp"

namespace segue::gateway {
namespace {

using prometheus::MetricType;

// Calls `write` with the labels and the indices of each endpoint.
template <class Write>
void for_each_endpoint(const GatewaySettings& settings, Write write) {
  for (std::size_t b = 0; b < settings.backends.size(); ++b) {
    const BackendSettings& backend = settings.backends[b];
    for (std::size_t e = 0; e < backend.endpoints.size(); ++e) {
      const MetricsWriter::Labels labels{{"segue_backend", backend.name},
                                         {"segue_role", backend.role},
                                         {"endpoint", name_of(backend.endpoints[e])}};
      write(labels, b, e);
    }
  }
}

}  // namespace

void write_endpoint_metrics(const GatewaySettings& settings, const Fleet& fleet,
                            MetricsWriter& out) {
  using Labels = MetricsWriter::Labels;
  const runtime::MonotonicNs now = runtime::monotonic_now();
  out.family(MetricType::Gauge, "segue_backend_endpoint_available",
             "Whether an endpoint gets requests: 0 while it is ejected, or its checks fail.");
  for_each_endpoint(settings, [&](const Labels& labels, std::size_t backend, std::size_t endpoint) {
    out.value(fleet.health.of(backend, endpoint).available(now) ? 1 : 0, labels);
  });
  out.family(MetricType::Counter, "segue_backend_endpoint_ejections_total",
             "Times an endpoint was taken out for exchanges that failed in a row.");
  for_each_endpoint(settings, [&](const Labels& labels, std::size_t backend, std::size_t endpoint) {
    out.value(static_cast<double>(fleet.health.of(backend, endpoint).ejections()), labels);
  });
  out.family(MetricType::Counter, "segue_backend_endpoint_name_failures_total",
             "Lookups of an endpoint's name that failed; addresses that were known stay in use.");
  for_each_endpoint(settings, [&](const Labels& labels, std::size_t backend, std::size_t endpoint) {
    const ResolvedName* const name = fleet.names.of(backend, endpoint);
    if (name != nullptr) out.value(static_cast<double>(name->failures()), labels);
  });
}

}  // namespace segue::gateway
