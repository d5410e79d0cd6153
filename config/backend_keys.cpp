#include <algorithm>
#include <utility>

#include "config/keys.hpp"
#include "config/socket_path.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::BackendSettings;
using gateway::Balance;
using gateway::EjectionSettings;
using gateway::EndpointSettings;
using gateway::Timeouts;
using gateway::TlsClientSettings;

constexpr std::uint64_t kMaxConnections = 1'000'000;
constexpr std::size_t kMaxEndpoints = 256;  // of one backend
constexpr std::uint64_t kMostFailures = 1000;  // in a row

constexpr Duration kTimeout{milliseconds{1}, std::chrono::hours{24}};

struct Endpoint {
  using Value = EndpointSettings;
  std::optional<EndpointSettings> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "host:port, such as php.internal:80, or unix:PATH";
    const auto text = read_address_text(place, context, kExpected);
    if (!text) return std::nullopt;
    if (is_socket_path(*text)) {
      auto path = read_socket_path(place, context, *text);
      if (!path) return std::nullopt;
      return EndpointSettings{{}, 0, std::move(*path)};
    }
    const auto address = parse_host_port(*text);
    if (address && address->port != 0) return EndpointSettings{address->host, address->port, {}};
    refuse_value(place, context, kExpected,
                 text->find("://") == std::string::npos ? "" : "no scheme: 'tls' switches TLS on");
    return std::nullopt;
  }
  std::string type() const { return "host:port or unix:path"; }
  std::string show(const EndpointSettings& value) const {
    return value.socket_path.empty() ? fmt::format("{}:{}", value.host, value.port)
                                     : "unix:" + value.socket_path;
  }
};

Keys<TlsClientSettings> client_tls_keys() {
  return {
      key<TlsClientSettings>("ca", &TlsClientSettings::ca_file, File{},
                             "PEM file of the authorities that may have signed the backend's "
                             "certificate",
                             "the system's"),
      key<TlsClientSettings>("cert", &TlsClientSettings::certificate_file, File{},
                             "PEM file: what the gateway shows of itself; with `key`"),
      key<TlsClientSettings>("key", &TlsClientSettings::key_file, Secret{},
                             "PEM file: the private key of `cert`"),
      key<TlsClientSettings>("server_name", &TlsClientSettings::server_name, Text{},
                             "SNI, and the name that is verified", "the endpoints' host"),
  };
}

Keys<BackendSettings> backend_limit_keys() {
  return {
      key<BackendSettings>("connections", &BackendSettings::max_connections,
                           Count{1, kMaxConnections}, "connections to each endpoint"),
      key<BackendSettings>("pending", &BackendSettings::max_pending, Count{0, kMaxConnections},
                           "requests that wait for a connection, for each endpoint; over it 503"),
      key<BackendSettings>("idle", &BackendSettings::max_idle, Count{0, kMaxConnections},
                           "idle connections that are kept, to each endpoint"),
      key<BackendSettings>("idle_time", &BackendSettings::idle_time, kTimeout,
                           "how long an idle connection is kept; the backend's own "
                           "`Keep-Alive: timeout` may shorten it"),
  };
}

Keys<Timeouts> timeout_keys() {
  const OrNone<Duration> timeout{kTimeout};
  return {
      key<Timeouts>("connect", &Timeouts::connect, timeout, "connecting, TLS included"),
      key<Timeouts>("first_byte", &Timeouts::first_byte, timeout,
                    "from the end of the request to the head of the response"),
      key<Timeouts>("idle", &Timeouts::idle, timeout, "between two reads of a response"),
      key<Timeouts>("total", &Timeouts::total, timeout, "the whole exchange, retry included"),
      key<Timeouts>("tunnel", &Timeouts::tunnel, timeout,
                    "a WebSocket without a byte in either direction"),
  };
}

Keys<EjectionSettings> ejection_keys() {
  return {
      key<EjectionSettings>("after", &EjectionSettings::after, Count{0, kMostFailures},
                            "failed exchanges in a row after which an endpoint gets none for a "
                            "while: no connection, a reset, no answer in time; 0: never"),
      key<EjectionSettings>("base", &EjectionSettings::base, kTimeout,
                            "for how long; twice as long each time it fails again"),
      key<EjectionSettings>("max", &EjectionSettings::max, kTimeout, "for how long at most"),
  };
}

void check_ejection(const Place& place, Context& context, const EjectionSettings& ejection) {
  if (ejection.base <= ejection.max) return;
  const yaml::Entry& written = *place.node.find("ejection");
  const yaml::Entry* blamed = written.value.find("base");
  if (blamed == nullptr) blamed = written.value.find("max");
  context.report.add(codes::kOutOfRange, blamed->value.at,
                     fmt::format("{}.ejection.base is {}, longer than its max of {}", place.name,
                                 show_duration(ejection.base), show_duration(ejection.max)));
}

// Without `server_name` the endpoints' host is verified, so it must be one host.
void choose_server_name(const Place& place, Context& context, BackendSettings& backend) {
  if (!backend.tls || !backend.tls->server_name.empty() || backend.endpoints.empty()) return;
  const std::string& host = backend.endpoints.front().host;
  const bool is_one = std::all_of(backend.endpoints.begin(), backend.endpoints.end(),
                                  [&](const auto& endpoint) { return endpoint.host == host; });
  if (is_one && !host.empty()) {
    backend.tls->server_name = host;
    return;
  }
  context.report.add(
      codes::kMissingKey, place.child(*place.node.find("tls")).at,
      fmt::format("{}.tls needs 'server_name': {}", place.name,
                  is_one ? "a socket has no host" : "the endpoints have different hosts"));
}

}  // namespace

Keys<BackendSettings> backend_keys() {
  const Choice<std::string> roles{{{"legacy", "legacy"}, {"new", "new"}}};
  const Choice<Balance> balances{
      {{"round_robin", Balance::round_robin}, {"least_requests", Balance::least_requests}}};
  return {
      key<BackendSettings>("role", &BackendSettings::role, roles,
                           "which arm of a split this backend is",
                           "the name when it is one of these, else none"),
      required(key<BackendSettings>("endpoints", &BackendSettings::endpoints,
                                    List<Endpoint>{{}, kMaxEndpoints}, "where the backend listens",
                                    "")),
      key<BackendSettings>("host", &BackendSettings::host, Text{}, "Host sent to the backend",
                           "the client's"),
      key<BackendSettings>("balance", &BackendSettings::balance, balances,
                           "how requests are spread over the endpoints: in turn, or to the one of "
                           "two picked at random that has fewer under way"),
      section<BackendSettings>("tls", &BackendSettings::tls, client_tls_keys()),
      group<BackendSettings>("limits", backend_limit_keys()),
      section<BackendSettings>("timeouts", &BackendSettings::timeouts, timeout_keys()),
      health_key(),
      retries_key(),
      retry_budget_key(),
      section<BackendSettings>("ejection", &BackendSettings::ejection, ejection_keys()),
      group<BackendSettings>(
          "dns", {key<BackendSettings>("refresh", &BackendSettings::dns_refresh,
                                       Duration{milliseconds{100}, std::chrono::hours{24}},
                                       "an endpoint's name is looked up again when the answer is "
                                       "older")}),
  };
}

void finish_backend(const Place& place, Context& context, BackendSettings& backend) {
  if (backend.role.empty()) backend.role = backend.name;
  const yaml::Entry* endpoints = place.node.find("endpoints");
  if (endpoints != nullptr && endpoints->value.kind == yaml::Kind::sequence &&
      endpoints->value.items.empty())
    context.report.add(codes::kOutOfRange, endpoints->key_at,
                       fmt::format("{}.endpoints must not be empty", place.name));
  choose_server_name(place, context, backend);
  finish_health(place, context, backend);
  check_ejection(place, context, backend.ejection);
  const yaml::Entry* tls = place.node.find("tls");
  if (tls == nullptr) return;
  if ((tls->value.find("cert") == nullptr) != (tls->value.find("key") == nullptr))
    context.report.add(codes::kMissingKey, tls->key_at,
                       fmt::format("{}.tls needs both 'cert' and 'key', or neither", place.name));
}

}  // namespace segue::config
