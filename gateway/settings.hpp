#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/http1/forward.hpp"
#include "runtime/tls_settings.hpp"

namespace segue::gateway {

using std::chrono::milliseconds;

// Paths are resolved against the folder of the configuration file.
using runtime::TlsClientSettings;
using runtime::TlsServerSettings;

enum class ListenerKind : std::uint8_t { public_, probe };

struct ListenerSettings {
  std::string name;
  ListenerKind kind = ListenerKind::public_;
  std::string host;  // IP address to bind
  std::uint16_t port = 0;
  std::vector<std::string> trusted_proxies;  // CIDR blocks or addresses
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
};

struct EndpointSettings {
  std::string host;
  std::uint16_t port = 0;
};

struct BackendSettings {
  std::string name;
  std::string role;                         // "legacy", "new", or the name
  std::vector<EndpointSettings> endpoints;  // used round robin
  std::string host;                         // Host sent upstream; empty: the client's
  std::optional<TlsClientSettings> tls;
  Timeouts timeouts;
  std::uint64_t max_connections = 1024;
  std::uint64_t max_pending = 1024;  // requests waiting for a connection
  std::uint64_t max_idle = 256;
  milliseconds idle_time{4'000};
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

// What a route changes of its backend's timeouts.
struct RouteTimeouts {
  std::optional<milliseconds> first_byte, idle, total;
};

}  // namespace segue::gateway
