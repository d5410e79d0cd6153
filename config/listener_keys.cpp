#include <algorithm>
#include <utility>

#include "config/keys.hpp"
#include "config/socket_path.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::ListenerKind;
using gateway::ListenerSettings;
using gateway::ProxyProtocol;
using gateway::TlsServerSettings;
using gateway::http1::UnderscoreNames;
using runtime::ClientCertificates;
using runtime::TlsIdentityFiles;
using runtime::TlsVersion;

constexpr std::size_t kMaxTrustedProxies = 256;  // of one listener
constexpr std::size_t kMaxCertificates = 256;    // of one listener
constexpr std::string_view kUnixPeers = "unix";  // in trusted_proxies

// An address, a CIDR block, or whoever may connect to a Unix socket.
struct TrustedPeer {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    constexpr std::string_view kExpected = "an IP address, a block such as 10.0.0.0/8, or unix";
    auto text = read_text(place, context, kExpected);
    if (!text || *text == kUnixPeers || is_cidr_block(*text)) return text;
    refuse_value(place, context, kExpected);
    return std::nullopt;
  }
  std::string type() const { return "address, CIDR block or unix"; }
  std::string show(const std::string& value) const { return value; }
};

void read_listen_address(const Place& place, Context& context, ListenerSettings& listener) {
  constexpr std::string_view kExpected =
      "an IP address and a port, such as 0.0.0.0:8080, or unix:PATH";
  const auto text = read_address_text(place, context, kExpected);
  if (!text) return;
  if (is_socket_path(*text)) {
    listener.socket_path = read_socket_path(place, context, *text).value_or(std::string());
    return;
  }
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

// It would only seem to say who may scrape.
void refuse_keys_of_clients(const Place& place, Context& context) {
  for (const std::string_view key : {"trusted_proxies", "exchange_id_header", "underscore_names"})
    if (const yaml::Entry* const entry = place.node.find(key))
      context.report.add(
          codes::kExclusiveKeys, entry->key_at,
          fmt::format("{}.{}: a probe listener answers whoever can connect", place.name, key),
          "leave it out, and bind the listener where only probes reach it");
}

// Without anybody who may say where a client comes from, nobody could connect.
void check_proxy_protocol(const Place& place, Context& context, const ListenerSettings& listener) {
  const yaml::Entry& protocol = *place.node.find("proxy_protocol");
  const std::string name = place.name + ".proxy_protocol";
  if (listener.kind == ListenerKind::probe) {
    context.report.add(codes::kExclusiveKeys, protocol.key_at,
                       fmt::format("{}: a probe listener takes no such header", name),
                       "leave it out, and bind the listener where only probes reach it");
    return;
  }
  const yaml::Entry* const trusted = place.node.find("trusted_proxies");
  if (trusted == nullptr || trusted->value.items.empty()) {
    context.report.add(
        codes::kMissingKey, protocol.key_at,
        fmt::format("{} needs 'trusted_proxies': who may say where a client comes from", name),
        "list the load balancers, such as trusted_proxies: [10.0.0.0/8]");
    return;
  }
  const bool of_files = !listener.socket_path.empty();
  const bool can_connect =
      std::ranges::any_of(listener.trusted_proxies, [of_files](const std::string& peer) {
        return (peer == kUnixPeers) == of_files;
      });
  if (can_connect || listener.trusted_proxies.empty()) return;  // empty: reported where it stands
  context.report.add(
      codes::kBadValue, trusted->value.at,
      fmt::format("{}.trusted_proxies names nobody who can connect to this address", place.name),
      of_files ? "add unix" : "add the addresses of the load balancers");
}

}  // namespace

Keys<ListenerSettings> listener_keys() {
  const Choice<ListenerKind> kinds{
      {{"public", ListenerKind::public_}, {"probe", ListenerKind::probe}}};
  const Choice<ProxyProtocol> protocols{{{"off", ProxyProtocol::off},
                                         {"v1", ProxyProtocol::v1},
                                         {"v2", ProxyProtocol::v2},
                                         {"any", ProxyProtocol::any}}};
  const Choice<UnderscoreNames> underscores{{{"drop", UnderscoreNames::drop},
                                             {"refuse", UnderscoreNames::refuse},
                                             {"forward", UnderscoreNames::forward}}};
  return {
      key<ListenerSettings>("kind", &ListenerSettings::kind, kinds,
                            "`public` takes clients' requests; `probe` answers /livez, /readyz "
                            "and /metrics",
                            "the name when it is one of these, else public"),
      required(special_key<ListenerSettings>("address", "IP address:port, or unix:path", "",
                                             "where to listen; `[::]:8080` is IPv6, port 0 any "
                                             "free port, `unix:PATH` a Unix domain socket",
                                             read_listen_address)),
      key<ListenerSettings>("trusted_proxies", &ListenerSettings::trusted_proxies,
                            List<TrustedPeer>{{}, kMaxTrustedProxies},
                            "whose Forwarded and X-Forwarded-* fields are believed; `unix`: "
                            "whoever may connect to a Unix socket"),
      key<ListenerSettings>("proxy_protocol", &ListenerSettings::proxy_protocol, protocols,
                            "connections begin with a PROXY protocol header of that version, and "
                            "come from `trusted_proxies` alone"),
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
  if (listener.kind == ListenerKind::probe) refuse_keys_of_clients(place, context);
  if (listener.tls) check_server_tls(place, context, listener);
  if (listener.proxy_protocol != ProxyProtocol::off) check_proxy_protocol(place, context, listener);
}

}  // namespace segue::config
