#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/http1/forward.hpp"
#include "runtime/tls_settings.hpp"

namespace segue::gateway {

using std::chrono::milliseconds;

// Paths are resolved against the folder of the configuration file.
using runtime::TlsClientSettings;
using runtime::TlsServerSettings;

// Whether connections begin with a PROXY protocol header (HAProxy's proxy-protocol.txt), and of
// which version.
enum class ProxyProtocol : std::uint8_t { off, v1, v2, any };

enum class ListenerKind : std::uint8_t { public_, probe };

struct ListenerSettings {
  std::string name;
  ListenerKind kind = ListenerKind::public_;
  std::string host;         // IP address to bind
  std::uint16_t port = 0;
  std::string socket_path;  // a Unix domain socket instead of host and port; empty: TCP
  // CIDR blocks, addresses, or "unix": whoever may connect to a Unix socket.
  std::vector<std::string> trusted_proxies;
  ProxyProtocol proxy_protocol = ProxyProtocol::off;  // from trusted_proxies alone
  bool exchange_id_header = false;           // answer Segue-Exchange-Id
  http1::UnderscoreNames underscore_names = http1::UnderscoreNames::drop;
  std::optional<TlsServerSettings> tls;
};

// Totals of the process; divided among the cores, at least 1 each.
struct Limits {
  std::uint64_t head_bytes = 32 << 10;
  std::uint64_t fields = 100;
  std::uint64_t target_bytes = 8 << 10;
  std::optional<std::uint64_t> body_bytes;  // none: no limit
  milliseconds head_time{10'000};
  milliseconds body_idle{30'000};
  std::uint64_t min_rate_bytes = 240;  // per second, averaged over body_idle
  milliseconds send_idle{30'000};
  milliseconds keep_alive{75'000};
  std::uint64_t connections = 20'000;
  // From one client address; of the process, not divided among the cores. None: no limit.
  std::optional<std::uint64_t> per_client;
};

struct DrainSettings {
  milliseconds delay{5'000};     // /readyz fails, requests are still accepted
  milliseconds timeout{30'000};  // then what is left is cut
};

enum class AccessLogFormat : std::uint8_t { off, json, combined };

struct AccessLogSettings {
  AccessLogFormat format = AccessLogFormat::off;
  std::string path = "-";  // "-": standard output
};

struct Timeouts {
  std::optional<milliseconds> connect{1'000};
  std::optional<milliseconds> first_byte{30'000};
  std::optional<milliseconds> idle{30'000};
  std::optional<milliseconds> total;
  std::optional<milliseconds> tunnel{3'600'000};  // no byte in either direction
};

struct EndpointSettings {
  std::string host;
  std::uint16_t port = 0;
  std::string socket_path;  // a Unix domain socket instead of host and port; empty: TCP
};

enum class Balance : std::uint8_t {
  round_robin,
  least_requests,  // of two that are picked at random, the one with fewer requests under way
};

// Active checks: GET `path` on a connection of its own to each endpoint; 2xx and 3xx are healthy.
struct HealthSettings {
  std::string path;
  milliseconds interval{5'000};
  milliseconds timeout{1'000};  // of one check, connecting included
  std::uint32_t healthy_after = 2;    // checks in a row
  std::uint32_t unhealthy_after = 3;  // checks in a row
};

// An endpoint that fails `after` exchanges in a row gets none for a while: `base`, and twice as
// long each time it fails again, up to `max`.
struct EjectionSettings {
  std::uint32_t after = 5;  // 0: never
  milliseconds base{5'000};
  milliseconds max{60'000};
};

struct BackendSettings {
  std::string name;
  std::string role;                         // "legacy", "new", or the name
  std::vector<EndpointSettings> endpoints;
  Balance balance = Balance::round_robin;
  std::string host;                         // Host sent upstream; empty: the client's
  std::optional<TlsClientSettings> tls;
  Timeouts timeouts;
  std::uint64_t max_connections = 1024;  // to each endpoint
  std::uint64_t max_pending = 1024;      // requests waiting for a connection, for each endpoint
  std::uint64_t max_idle = 256;          // to each endpoint
  milliseconds idle_time{4'000};
  std::optional<HealthSettings> health;  // none: no active checks
  EjectionSettings ejection;
  std::uint32_t retry_attempts = 0;         // after a failure to connect: nothing was sent yet
  std::uint16_t retry_budget = 1'000;  // retries, in hundredths of a percent of the requests to it
  milliseconds dns_refresh{5'000};          // a name is resolved again when its answer is older
};

// `shadow:` of a route; where to is routing's (`routing::ShadowRule`).
struct ShadowSettings {
  std::uint16_t share = 0;          // of requests, in hundredths of a percent
  std::uint16_t control_share = 0;  // of requests, too: those are sent to the same backend again
  milliseconds timeout{2'000};      // of each copy, from connecting to the last byte
  std::uint64_t max_in_flight = 50;            // of the process; divided among the cores
  std::uint64_t max_body_bytes = 1 << 20;      // of the request, and of the answer
  std::vector<std::string> remove_headers{};   // names, any case
};

// `request_headers` or `response_headers` of a route: what is changed of a head on its way, beyond
// what the gateway always does. Names in any case; a name that is set replaces all fields of it.
struct HeaderRules {
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::string> remove;
  bool empty() const noexcept { return set.empty() && remove.empty(); }
};

// `redirect:` of a route: the location is the client's own URL with these parts replaced.
struct RedirectSettings {
  std::string scheme;  // empty: the client's
  std::string host;    // with a port where one is wanted; empty: the client's
  std::string path;    // as `rewrite.path`: a template over the parameters; empty: the client's path
  std::uint16_t status = 308;
};

// `respond:` of a route: the gateway's own answer.
struct RespondSettings {
  std::uint16_t status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Names of trailer fields that may pass; all others are dropped.
struct TrailerSettings {
  std::vector<std::string> request;
  std::vector<std::string> response;
};

// Everything that a route says of how its exchanges are served, but for where they go (routing/),
// what is recorded (recorder/), timeouts and shadow.
struct RouteTraffic {
  HeaderRules request_headers;
  HeaderRules response_headers;
  TrailerSettings trailers;
  bool websocket = false;  // `upgrade: [websocket]`
  std::optional<RedirectSettings> redirect;
  std::optional<RespondSettings> respond;
};

// What a route changes of its backend's timeouts.
struct RouteTimeouts {
  std::optional<milliseconds> first_byte, idle, total, tunnel;
};

}  // namespace segue::gateway
