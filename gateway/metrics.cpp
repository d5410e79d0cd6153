#include "gateway/metrics.hpp"

#include <prometheus/text_serializer.h>

#include "gateway/upstream/endpoint_metrics.hpp"
#include "gateway/upstream/reach_metrics.hpp"

namespace segue::gateway {
namespace {

using prometheus::MetricType;

void merge_requests(RequestCounts& into, const RequestCounts& from) {
  for (const auto& entry : from.entries())
    into.of(entry.method, entry.status).merge(entry.duration);
}

void merge_backends(std::vector<BackendCounts>& into, const std::vector<BackendCounts>& from) {
  into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    into[i].connects += from[i].connects;
    into[i].connect_failures += from[i].connect_failures;
    into[i].reused += from[i].reused;
    into[i].stale_retries += from[i].stale_retries;
    into[i].retries_connected += from[i].retries_connected;
    into[i].retries_failed += from[i].retries_failed;
    into[i].retry_budget_exhausted += from[i].retry_budget_exhausted;
    into[i].discarded += from[i].discarded;
    into[i].unavailable += from[i].unavailable;
    into[i].open += from[i].open;
    into[i].idle += from[i].idle;
    into[i].pending += from[i].pending;
    into[i].tunnels += from[i].tunnels;
    into[i].tunnels_open += from[i].tunnels_open;
    into[i].tunnel_bytes_from_client += from[i].tunnel_bytes_from_client;
    into[i].tunnel_bytes_to_client += from[i].tunnel_bytes_to_client;
    merge_requests(into[i].requests, from[i].requests);
  }
}

void merge_shadows(std::vector<ShadowCounts>& into, const std::vector<ShadowCounts>& from) {
  into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (std::size_t result = 0; result < kShadowResults; ++result) {
      into[i].shadows[result] += from[i].shadows[result];
      into[i].controls[result] += from[i].controls[result];
    }
    into[i].in_flight += from[i].in_flight;
    into[i].duration.merge(from[i].duration);
    into[i].primary_duration.merge(from[i].primary_duration);
  }
}

// The cores' counters added up.
Counters total(const std::vector<Counters>& cores) {
  Counters sum;
  sum.routes.resize(cores.front().routes.size());
  sum.splits.resize(cores.front().splits.size());
  for (const Counters& core : cores) {
    sum.connections_accepted += core.connections_accepted;
    sum.connections_open += core.connections_open;
    sum.active_requests += core.active_requests;
    sum.tls_handshake_failures += core.tls_handshake_failures;
    sum.path_confusion += core.path_confusion;
    sum.underscore_dropped += core.underscore_dropped;
    sum.trailers_dropped += core.trailers_dropped;
    sum.client_aborts += core.client_aborts;
    sum.unrecorded_resets += core.unrecorded_resets;
    sum.durability_timeouts += core.durability_timeouts;
    sum.accept_pauses += core.accept_pauses;
    sum.tasks_failed += core.tasks_failed;
    sum.captures_cut += core.captures_cut;
    sum.refused.merge(core.refused);
    sum.limits.merge(core.limits);
    sum.proxy_refusals.merge(core.proxy_refusals);
    for (std::size_t i = 0; i < core.routes.size(); ++i)
      merge_requests(sum.routes[i], core.routes[i]);
    for (std::size_t i = 0; i < core.splits.size(); ++i)
      for (std::size_t arm = 0; arm < 2; ++arm) sum.splits[i][arm] += core.splits[i][arm];
    merge_reach(sum, core);
    merge_backends(sum.backends, core.backends);
    merge_backends(sum.shadow_backends, core.shadow_backends);
    merge_shadows(sum.shadows, core.shadows);
  }
  return sum;
}

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

void write_requests(const Counters& sum, std::span<const routing::Route> routes,
                    MetricsWriter& out) {
  out.family(MetricType::Histogram, "http_server_request_duration_seconds",
             "Time from a complete request head to the end of its response.");
  for (std::size_t i = 0; i < sum.routes.size(); ++i) {
    const bool routed = i < routes.size();
    for (const RequestCounts::Entry& entry : sum.routes[i].entries())
      out.histogram(entry.duration,
                    {{"http_route", routed ? routes[i].path_template : "_unmatched"},
                     {"segue_route", routed ? routes[i].name : "_unmatched"},
                     {"http_request_method", entry.method},
                     // Empty: the client left before there was one.
                     {"http_response_status_code",
                      entry.status == 0 ? std::string() : std::to_string(entry.status)}});
  }
  out.family(MetricType::Gauge, "http_server_active_requests", "Requests being served.");
  out.value(number(sum.active_requests));
  out.family(MetricType::Counter, "segue_requests_refused_total",
             "Requests that the gateway answered itself, by reason.");
  for (const auto& entry : sum.refused.entries())
    out.value(number(entry.count), {{"reason", entry.label}});
  out.family(MetricType::Counter, "segue_limit_refusals_total",
             "Refusals because of a limit, by its key.");
  for (const auto& entry : sum.limits.entries())
    out.value(number(entry.count), {{"limit", entry.label}});
  out.family(MetricType::Counter, "segue_split_assignments_total",
             "Requests of split routes, by arm.");
  for (std::size_t i = 0; i < sum.splits.size(); ++i) {
    if (sum.splits[i][0] + sum.splits[i][1] == 0) continue;
    out.value(number(sum.splits[i][0]), {{"segue_route", routes[i].name}, {"arm", "legacy"}});
    out.value(number(sum.splits[i][1]), {{"segue_route", routes[i].name}, {"arm", "new"}});
  }
}

// What pools of connections are counted by: those of clients' exchanges, or those of shadows.
struct BackendColumn {
  MetricType type;
  const char* name;  // behind "segue_backend_" or "segue_shadow_backend_"
  const char* help;
  std::uint64_t BackendCounts::* field;
};

constexpr BackendColumn kBackendColumns[] = {
    {MetricType::Counter, "connects_total", "Connections opened to the backend.",
     &BackendCounts::connects},
    {MetricType::Counter, "connect_failures_total", "Connections that could not be opened.",
     &BackendCounts::connect_failures},
    {MetricType::Counter, "reused_total", "Requests sent on a pooled connection.",
     &BackendCounts::reused},
    {MetricType::Counter, "stale_retries_total",
     "Requests sent again because a pooled connection had gone stale.",
     &BackendCounts::stale_retries},
    {MetricType::Counter, "discarded_total",
     "Connections closed because what came on them was in doubt.", &BackendCounts::discarded},
    {MetricType::Counter, "unavailable_requests_total",
     "Requests sent although no endpoint was available.", &BackendCounts::unavailable},
    {MetricType::Gauge, "connections", "Open connections to the backend.", &BackendCounts::open},
    {MetricType::Gauge, "idle_connections", "Pooled connections that wait.", &BackendCounts::idle},
    {MetricType::Gauge, "pending_requests", "Requests that wait for a connection.",
     &BackendCounts::pending},
};

void write_pools(const std::vector<BackendCounts>& counts, const GatewaySettings& settings,
                 const std::string& prefix, MetricsWriter& out) {
  if (counts.empty()) return;
  for (const BackendColumn& column : kBackendColumns) {
    out.family(column.type, prefix + column.name, column.help);
    for (std::size_t i = 0; i < counts.size(); ++i)
      out.value(number(counts[i].*column.field), {{"segue_backend", settings.backends[i].name},
                                                  {"segue_role", settings.backends[i].role}});
  }
}

void write_backends(const Counters& sum, const GatewaySettings& settings, MetricsWriter& out) {
  write_pools(sum.backends, settings, "segue_backend_", out);
  out.family(MetricType::Histogram, "http_client_request_duration_seconds",
             "Time from a connection to the backend ready to the end of its response.");
  for (std::size_t i = 0; i < sum.backends.size(); ++i)
    for (const RequestCounts::Entry& entry : sum.backends[i].requests.entries())
      out.histogram(entry.duration, {{"segue_backend", settings.backends[i].name},
                                     {"segue_role", settings.backends[i].role},
                                     {"http_request_method", entry.method},
                                     {"http_response_status_code", std::to_string(entry.status)}});
}

void write_tunnels(const Counters& sum, const GatewaySettings& settings, MetricsWriter& out) {
  const auto each = [&](auto write) {
    for (std::size_t i = 0; i < sum.backends.size(); ++i)
      write(MetricsWriter::Labels{{"segue_backend", settings.backends[i].name},
                                  {"segue_role", settings.backends[i].role}},
            sum.backends[i]);
  };
  out.family(MetricType::Gauge, "segue_backend_tunnels", "WebSockets that are open.");
  each([&](const MetricsWriter::Labels& labels, const BackendCounts& counts) {
    out.value(number(counts.tunnels_open), labels);
  });
  out.family(MetricType::Counter, "segue_backend_tunnels_total", "WebSockets that were opened.");
  each([&](const MetricsWriter::Labels& labels, const BackendCounts& counts) {
    out.value(number(counts.tunnels), labels);
  });
  out.family(MetricType::Counter, "segue_backend_tunnel_bytes_total",
             "Bytes that WebSockets passed on, by where they came from.");
  each([&](MetricsWriter::Labels labels, const BackendCounts& counts) {
    labels.emplace_back("direction", "from_client");
    out.value(number(counts.tunnel_bytes_from_client), labels);
    labels.back().second = "to_client";
    out.value(number(counts.tunnel_bytes_to_client), labels);
  });
}

// Calls `write` with the name and the counts of each route that shadows.
template <class Write>
void for_each_shadow(const Counters& sum, const GatewaySettings& settings,
                     std::span<const routing::Route> routes, Write write) {
  for (const routing::Route& route : routes)
    if (route.index < sum.shadows.size() && settings.shadows[route.index])
      write(route.name, sum.shadows[route.index]);
}

void write_shadows(const Counters& sum, const GatewaySettings& settings,
                   std::span<const routing::Route> routes, MetricsWriter& out) {
  if (sum.shadows.empty()) return;
  const auto each = [&](auto write) { for_each_shadow(sum, settings, routes, write); };
  const auto results = [&](std::array<std::uint64_t, kShadowResults> ShadowCounts::* counts) {
    each([&](const std::string& route, const ShadowCounts& shadow) {
      for (std::size_t i = 0; i < kShadowResults; ++i)
        out.value(number((shadow.*counts)[i]),
                  {{"route", route}, {"result", name_of(static_cast<ShadowResult>(i))}});
    });
  };
  const auto durations = [&](DurationHistogram ShadowCounts::* histogram) {
    each([&](const std::string& route, const ShadowCounts& shadow) {
      out.histogram(shadow.*histogram, {{"route", route}});
    });
  };
  out.family(MetricType::Counter, "segue_shadow_requests_total",
             "Requests of routes that shadow, by what became of their copy.");
  results(&ShadowCounts::shadows);
  out.family(MetricType::Counter, "segue_shadow_control_requests_total",
             "Requests sent to the primary's backend once more, by what became of that.");
  results(&ShadowCounts::controls);
  out.family(MetricType::Gauge, "segue_shadow_in_flight",
             "Copies that hold a place: promised, under way, or repeated as a control.");
  each([&](const std::string& route, const ShadowCounts& shadow) {
    out.value(number(shadow.in_flight), {{"route", route}});
  });
  out.family(MetricType::Histogram, "segue_shadow_request_duration_seconds",
             "Time from a connection ready to the end of a shadow's response.");
  durations(&ShadowCounts::duration);
  out.family(MetricType::Histogram, "segue_shadow_primary_duration_seconds",
             "The same for the requests that these copied.");
  durations(&ShadowCounts::primary_duration);
  write_pools(sum.shadow_backends, settings, "segue_shadow_backend_", out);
}

void write_credentials(const Credentials::Status& status, MetricsWriter& out) {
  if (!status.certificates.empty())
    out.family(MetricType::Gauge, "segue_tls_certificate_expiry_timestamp_seconds",
               "When a certificate that is shown to clients or backends expires, in Unix time.");
  for (const auto& certificate : status.certificates)
    out.value(static_cast<double>(certificate.info.not_after),
              {{certificate.label, certificate.owner}, {"name", certificate.info.name}});
  const MetricsWriter::Plain rows[] = {
      {MetricType::Counter, "segue_tls_reloads_total",
       "Listeners and backends that went over to new files.", status.renewals},
      {MetricType::Counter, "segue_tls_reload_failures_total",
       "New files of a listener or backend that could not be used; the old ones are.",
       status.failures},
  };
  out.plain(rows);
}

void write_connections(const Gateway& gateway, const Counters& sum, MetricsWriter& out) {
  out.family(MetricType::Counter, "segue_proxy_header_refusals_total",
             "Connections closed for their PROXY protocol header, by reason.");
  for (const auto& entry : sum.proxy_refusals.entries())
    out.value(number(entry.count), {{"reason", entry.label}});
  const MetricsWriter::Plain rows[] = {
      {MetricType::Counter, "segue_connections_accepted_total", "Client connections accepted.",
       sum.connections_accepted},
      {MetricType::Gauge, "segue_connections", "Open client connections.", sum.connections_open},
      {MetricType::Gauge, "segue_connections_limit",
       "Client connections that are accepted at one time, divided among the cores.",
       gateway.settings().limits.connections},
      {MetricType::Counter, "segue_accept_pauses_total", "Times accepting paused at a limit.",
       sum.accept_pauses},
      {MetricType::Counter, "segue_tls_handshake_failures_total",
       "TLS handshakes with clients that failed.", sum.tls_handshake_failures},
      {MetricType::Counter, "segue_path_confusion_total",
       "Requests refused because their path could be read in two ways.", sum.path_confusion},
      {MetricType::Counter, "segue_underscore_fields_dropped_total",
       "Header fields dropped for an underscore in their name.", sum.underscore_dropped},
      {MetricType::Counter, "segue_trailers_dropped_total",
       "Trailer fields that were not passed on.", sum.trailers_dropped},
      {MetricType::Counter, "segue_client_aborts_total",
       "Clients that left before their answer was complete.", sum.client_aborts},
      {MetricType::Counter, "segue_unrecorded_resets_total",
       "Answers cut because the exchange could not be recorded.", sum.unrecorded_resets},
      {MetricType::Counter, "segue_durability_timeouts_total",
       "Exchanges that were not on disk or in Kafka within durability_timeout.",
       sum.durability_timeouts},
      {MetricType::Counter, "segue_access_log_dropped_batches_total",
       "Batches of access lines dropped because they were not taken in time.",
       gateway.dropped_access_batches()},
      {MetricType::Counter, "segue_sessions_failed_total", "Sessions ended by a failed allocation.",
       sum.tasks_failed},
      {MetricType::Counter, "segue_captures_cut_total",
       "Body captures cut because capture_memory was used up.", sum.captures_cut},
  };
  out.plain(rows);
}

}  // namespace

void MetricsWriter::plain(std::span<const Plain> metrics) {
  for (const Plain& metric : metrics) {
    family(metric.type, metric.name, metric.help);
    value(number(metric.value));
  }
}

void MetricsWriter::family(MetricType type, std::string name, std::string help) {
  prometheus::MetricFamily& family = families_.emplace_back();
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
}

prometheus::ClientMetric& MetricsWriter::sample(const Labels& labels) {
  prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
  for (const auto& [name, value] : labels) metric.label.push_back({name, value});
  return metric;
}

void MetricsWriter::value(double value, const Labels& labels) {
  prometheus::ClientMetric& metric = sample(labels);
  if (families_.back().type == MetricType::Gauge)
    metric.gauge.value = value;
  else
    metric.counter.value = value;
}

void MetricsWriter::histogram(const DurationHistogram& durations, const Labels& labels) {
  prometheus::ClientMetric::Histogram& histogram = sample(labels).histogram;
  histogram.sample_count = durations.count;
  histogram.sample_sum = static_cast<double>(durations.sum_micros) / 1e6;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < durations.buckets.size(); ++i) {
    cumulative += durations.buckets[i];
    const bool last = i == DurationHistogram::kBounds.size();
    histogram.bucket.push_back(
        {cumulative, last ? std::numeric_limits<double>::infinity()
                          : static_cast<double>(DurationHistogram::kBounds[i]) / 1e6});
  }
}

void write_gateway_metrics(Gateway& gateway, MetricsWriter& out) {
  const Counters sum = total(gateway.counters());
  write_requests(sum, gateway.routes(), out);
  write_backends(sum, gateway.settings(), out);
  write_tunnels(sum, gateway.settings(), out);
  write_endpoint_metrics(gateway.settings(), gateway.fleet(), out);
  write_reach_metrics(gateway, sum, out);
  write_shadows(sum, gateway.settings(), gateway.routes(), out);
  write_connections(gateway, sum, out);
  write_credentials(gateway.credentials().status(), out);
}

std::string exposition(const MetricFamilies& families) {
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace segue::gateway
