#include <algorithm>
#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::AccessLogFormat;
using gateway::AccessLogSettings;
using gateway::BackendSettings;
using gateway::DrainSettings;
using gateway::EndpointSettings;
using gateway::Limits;
using gateway::ListenerKind;
using gateway::ListenerSettings;
using gateway::Timeouts;
using gateway::TlsClientSettings;
using gateway::TlsServerSettings;
using gateway::http1::UnderscoreNames;
using runtime::ClientCertificates;
using runtime::TlsIdentityFiles;
using runtime::TlsVersion;
using std::chrono::hours;

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr std::uint64_t kMaxConnections = 1'000'000;
constexpr std::size_t kMaxEndpoints = 256;       // of one backend
constexpr std::size_t kMaxTrustedProxies = 256;  // of one listener
constexpr std::size_t kMaxCertificates = 256;    // of one listener

constexpr Duration kTimeout{milliseconds{1}, hours{24}};

// An address or CIDR block.
struct CidrBlock {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    auto text = read_text(place, context, "an IP address or block such as 10.0.0.0/8");
    if (!text || is_cidr_block(*text)) return text;
    refuse_value(place, context, "an IP address or block such as 10.0.0.0/8");
    return std::nullopt;
  }
  std::string type() const { return "address or CIDR block"; }
  std::string show(const std::string& value) const { return value; }
};

struct Endpoint {
  using Value = EndpointSettings;
  std::optional<EndpointSettings> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "host:port, such as php.internal:80";
    const auto text = read_address_text(place, context, kExpected);
    if (!text) return std::nullopt;
    const auto address = parse_host_port(*text);
    if (address && address->port != 0) return EndpointSettings{address->host, address->port};
    refuse_value(place, context, kExpected,
                 text->find("://") == std::string::npos ? "" : "no scheme: 'tls' switches TLS on");
    return std::nullopt;
  }
  std::string type() const { return "host:port"; }
  std::string show(const EndpointSettings& value) const {
    return fmt::format("{}:{}", value.host, value.port);
  }
};

void read_listen_address(const Place& place, Context& context, ListenerSettings& listener) {
  constexpr std::string_view kExpected = "an IP address and a port, such as 0.0.0.0:8080";
  const auto text = read_address_text(place, context, kExpected);
  if (!text) return;
  const auto address = parse_host_port(*text);
  if (address && is_ip_address(address->host)) {
    listener.host = address->host;
    listener.port = address->port;
    return;
  }
  std::string hint;
  if (text->starts_with(':') || text->starts_with("*:"))
    hint = fmt::format("write 0.0.0.0{}", text->substr(text->find(':')));
  if (address && address->host == "localhost")
    hint = fmt::format("write 127.0.0.1:{}", address->port);
  refuse_value(place, context, kExpected, std::move(hint));
}

Keys<TlsIdentityFiles> certificate_keys() {
  return {
      required(key<TlsIdentityFiles>("cert", &TlsIdentityFiles::certificate_file, File{},
                                     "PEM file: the certificate, then its chain; chosen by the "
                                     "DNS names in it, the first one when none has the name")),
      required(key<TlsIdentityFiles>("key", &TlsIdentityFiles::key_file, Secret{},
                                     "PEM file: the private key")),
  };
}

Key<TlsServerSettings> certificates_key() {
  return {"certificates",
          [](const Place& place, Context& context, TlsServerSettings& tls) {
            if (!is_sequence(place, context, "a list of certificates")) return;
            const std::size_t count = place.node.items.size();
            if (count == 0 || count > kMaxCertificates) {
              context.report.add(codes::kOutOfRange, place.node.at,
                                 fmt::format("{} must have 1 to {} entries, not {}", place.name,
                                             kMaxCertificates, count));
              return;
            }
            for (std::size_t i = 0; i < count; ++i)
              read_map(place.item(i), certificate_keys(), context, tls.certificates.emplace_back());
          },
          [](const std::string& path, const TlsServerSettings&, std::vector<KeyRow>& rows) {
            document_keys(path + "[]", certificate_keys(), TlsIdentityFiles{}, rows);
          }};
}

Keys<TlsServerSettings> server_tls_keys() {
  const Choice<ClientCertificates> rules{{{"none", ClientCertificates::none},
                                          {"optional", ClientCertificates::optional},
                                          {"required", ClientCertificates::required}}};
  const Choice<TlsVersion> versions{{{"1.2", TlsVersion::v1_2}, {"1.3", TlsVersion::v1_3}}};
  return {
      required(certificates_key()),
      key<TlsServerSettings>("client_certificates", &TlsServerSettings::client_certificates, rules,
                             "whether clients show a certificate; `optional`: one that is shown "
                             "must be valid"),
      key<TlsServerSettings>("client_ca", &TlsServerSettings::client_ca_file, File{},
                             "PEM file of the authorities that may have signed it"),
      key<TlsServerSettings>("min_version", &TlsServerSettings::min_version, versions,
                             "the oldest version of TLS that is spoken"),
  };
}

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
                           Count{1, kMaxConnections}, "connections to this backend"),
      key<BackendSettings>("pending", &BackendSettings::max_pending, Count{0, kMaxConnections},
                           "requests that wait for a connection; over it 503"),
      key<BackendSettings>("idle", &BackendSettings::max_idle, Count{0, kMaxConnections},
                           "idle connections that are kept"),
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
  };
}

void check_server_tls(const Place& place, Context& context, const ListenerSettings& listener) {
  const yaml::Entry& tls = *place.node.find("tls");
  const std::string name = place.name + ".tls";
  if (listener.kind == ListenerKind::probe)
    context.report.add(codes::kExclusiveKeys, tls.key_at,
                       fmt::format("{}: a probe listener speaks plain HTTP", name),
                       "leave it out, and bind the listener where only probes reach it");
  const bool asks = listener.tls->client_certificates != ClientCertificates::none;
  const yaml::Entry* const authorities = tls.value.find("client_ca");
  if (asks && authorities == nullptr)
    context.report.add(codes::kMissingKey, tls.key_at,
                       fmt::format("{} needs 'client_ca': who may have signed the certificates of "
                                   "clients",
                                   name));
  if (!asks && authorities != nullptr)
    context.report.add(codes::kExclusiveKeys, authorities->key_at,
                       fmt::format("{}.client_ca has no use: no certificate is asked for", name),
                       "write 'client_certificates: required', or 'optional'");
}

// Without `server_name` the endpoints' host is verified, so it must be one host.
void choose_server_name(const Place& place, Context& context, BackendSettings& backend) {
  if (!backend.tls || !backend.tls->server_name.empty() || backend.endpoints.empty()) return;
  const std::string& host = backend.endpoints.front().host;
  const bool is_one = std::all_of(backend.endpoints.begin(), backend.endpoints.end(),
                                  [&](const auto& endpoint) { return endpoint.host == host; });
  if (is_one) {
    backend.tls->server_name = host;
    return;
  }
  context.report.add(
      codes::kMissingKey, place.child(*place.node.find("tls")).at,
      fmt::format("{}.tls needs 'server_name': the endpoints have different hosts", place.name));
}

}  // namespace

Keys<Limits> limits_keys() {
  return {
      key<Limits>("head", &Limits::head_bytes, Size{kKiB, kMiB},
                  "of a request's head; over it 431"),
      key<Limits>("fields", &Limits::fields, Count{1, 1000}, "header fields of a request"),
      key<Limits>("target", &Limits::target_bytes, Size{16, 64 * kKiB},
                  "of a request's target; over it 414"),
      key<Limits>("body", &Limits::body_bytes, OrNone<Size>{{0, 1024 * kTiB}},
                  "of a request's body; over it 413"),
      key<Limits>("head_time", &Limits::head_time, kTimeout,
                  "from the first byte of a head to its end"),
      key<Limits>("body_idle", &Limits::body_idle, kTimeout, "between two reads of a body"),
      key<Limits>("min_rate", &Limits::min_rate_bytes, Size{0, kMiB},
                  "bytes a second that a body must bring, averaged over `body_idle`"),
      key<Limits>("send_idle", &Limits::send_idle, kTimeout,
                  "how long a client may take none of its response"),
      key<Limits>("keep_alive", &Limits::keep_alive, kTimeout, "between two requests"),
      key<Limits>("connections", &Limits::connections, Count{1, kMaxConnections},
                  "from clients, at one time"),
  };
}

Keys<DrainSettings> drain_keys() {
  const Duration duration{milliseconds{0}, hours{24}};
  return {
      key<DrainSettings>("delay", &DrainSettings::delay, duration,
                         "after SIGTERM: `/readyz` fails, requests are still accepted"),
      key<DrainSettings>("timeout", &DrainSettings::timeout, duration,
                         "after that: what still runs is cut"),
  };
}

Keys<AccessLogSettings> access_log_keys() {
  const Choice<AccessLogFormat> formats{{{"off", AccessLogFormat::off},
                                         {"json", AccessLogFormat::json},
                                         {"combined", AccessLogFormat::combined}}};
  return {
      key<AccessLogSettings>("format", &AccessLogSettings::format, formats,
                             "one line a request, redacted as the record is; `json`, or Apache's "
                             "`combined`"),
      special_key<AccessLogSettings>(
          "path", "path, or -", "-", "a file that lines are appended to; `-` is standard output",
          [](const Place& place, Context& context, AccessLogSettings& log) {
            if (place.node.kind == yaml::Kind::scalar && place.node.text == "-")
              log.path.assign(1, '-');  // g++ 12 warns of an assigned literal
            else if (auto path = File{}.read(place, context))
              log.path = std::move(*path);
          }),
  };
}

Keys<ListenerSettings> listener_keys() {
  const Choice<ListenerKind> kinds{
      {{"public", ListenerKind::public_}, {"probe", ListenerKind::probe}}};
  const Choice<UnderscoreNames> underscores{{{"drop", UnderscoreNames::drop},
                                             {"refuse", UnderscoreNames::refuse},
                                             {"forward", UnderscoreNames::forward}}};
  return {
      key<ListenerSettings>("kind", &ListenerSettings::kind, kinds,
                            "`public` takes clients' requests; `probe` answers /livez, /readyz "
                            "and /metrics",
                            "the name when it is one of these, else public"),
      required(special_key<ListenerSettings>("address", "IP address:port", "",
                                             "where to listen; `[::]:8080` is IPv6, port 0 any "
                                             "free port",
                                             read_listen_address)),
      key<ListenerSettings>("trusted_proxies", &ListenerSettings::trusted_proxies,
                            List<CidrBlock>{{}, kMaxTrustedProxies},
                            "whose Forwarded and X-Forwarded-* fields are believed"),
      key<ListenerSettings>("exchange_id_header", &ListenerSettings::exchange_id_header, Flag{},
                            "answer with Segue-Exchange-Id"),
      key<ListenerSettings>("underscore_names", &ListenerSettings::underscore_names, underscores,
                            "what happens to header fields with `_` in their names"),
      section<ListenerSettings>("tls", &ListenerSettings::tls, server_tls_keys()),
  };
}

void finish_listener(const Place& place, Context& context, ListenerSettings& listener) {
  if (listener.name == "probe" && place.node.find("kind") == nullptr)
    listener.kind = ListenerKind::probe;
  if (listener.tls) check_server_tls(place, context, listener);
}

Keys<BackendSettings> backend_keys() {
  const Choice<std::string> roles{{{"legacy", "legacy"}, {"new", "new"}}};
  const Choice<int> balances{{{"round_robin", 0}}};
  return {
      key<BackendSettings>("role", &BackendSettings::role, roles,
                           "which arm of a split this backend is",
                           "the name when it is one of these, else none"),
      required(key<BackendSettings>("endpoints", &BackendSettings::endpoints,
                                    List<Endpoint>{{}, kMaxEndpoints}, "where the backend listens",
                                    "")),
      key<BackendSettings>("host", &BackendSettings::host, Text{}, "Host sent to the backend",
                           "the client's"),
      special_key<BackendSettings>(
          "balance", balances.type(), "round_robin", "how requests are spread over the endpoints",
          [balances](const Place& place, Context& context, BackendSettings&) {
            static_cast<void>(balances.read(place, context));
          }),
      section<BackendSettings>("tls", &BackendSettings::tls, client_tls_keys()),
      group<BackendSettings>("limits", backend_limit_keys()),
      section<BackendSettings>("timeouts", &BackendSettings::timeouts, timeout_keys()),
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
  const yaml::Entry* tls = place.node.find("tls");
  if (tls == nullptr) return;
  if ((tls->value.find("cert") == nullptr) != (tls->value.find("key") == nullptr))
    context.report.add(codes::kMissingKey, tls->key_at,
                       fmt::format("{}.tls needs both 'cert' and 'key', or neither", place.name));
}

}  // namespace segue::config
