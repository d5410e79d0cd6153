#include <array>

#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "gateway/http1/field_rules.hpp"

namespace segue::config {
namespace {

using gateway::RedirectSettings;
using gateway::RespondSettings;
using routing::RouteAction;

constexpr std::size_t kMostUpgrades = 1;     // protocols
constexpr std::size_t kMostBody = 64 << 10;  // bytes of `respond.body`

// Keys that say how a backend is asked; they have no use where none is.
constexpr std::array<std::string_view, 9> kOfBackends{
    "sticky",   "rewrite",         "shadow",  "compare", "fallback",
    "timeouts", "request_headers", "upgrade", "trailers"};

Keys<RedirectSettings> redirect_keys() {
  const Choice<std::string> schemes{{{"http", "http"}, {"https", "https"}}};
  const Choice<std::uint16_t> statuses{
      {{"301", 301}, {"302", 302}, {"303", 303}, {"307", 307}, {"308", 308}}};
  return {
      key<RedirectSettings>("scheme", &RedirectSettings::scheme, schemes,
                            "of the location; a port of the request is left out when it changes",
                            "the client's"),
      special_key<RedirectSettings>(
          "host", "host or host:port", "the client's", "of the location",
          [](const Place& place, Context& context, RedirectSettings& redirect) {
            constexpr std::string_view kExpected = "a host or host:port, such as shop.example";
            auto host = read_text(place, context, kExpected);
            if (!host) return;
            if (gateway::http1::is_authority(*host))
              redirect.host = std::move(*host);
            else
              refuse_value(place, context, kExpected,
                           host->find('/') == std::string::npos ? "" : "without scheme and path");
          }),
      key<RedirectSettings>("path", &RedirectSettings::path, Text{"path"},
                            "of the location; may use `{parameters}` and bring a query of its own",
                            "the client's"),
      key<RedirectSettings>("status", &RedirectSettings::status, statuses,
                            "307 and 308 keep the method; 301 and 308 are remembered by clients"),
  };
}

Keys<RespondSettings> respond_keys() {
  return {
      required(key<RespondSettings>("status", &RespondSettings::status, Count{200, 599},
                                    "of the answer", "")),
      special_key<RespondSettings>(
          "headers", "map of texts", "content-type: text/plain; charset=utf-8", "of the answer",
          [](const Place& place, Context& context, RespondSettings& respond) {
            if (auto headers =
                    read_header_map(place, context, gateway::http1::HeadKind::response))
              respond.headers = std::move(*headers);
          }),
      key<RespondSettings>("body", &RespondSettings::body, Text{}, "of the answer", "none"),
  };
}

void finish_redirect(const Place& place, Context& context, RouteSettings& route) {
  const RedirectSettings& redirect = *route.traffic.redirect;
  route.rule.action = RouteAction::redirect;
  route.rule.redirect_scheme = redirect.scheme;
  route.rule.redirect_host = redirect.host;
  route.rule.redirect_path = redirect.path;
  route.rule.answer_status = redirect.status;
  const yaml::Entry& entry = *place.node.find("redirect");
  const auto says_key = [&](std::string_view key) { return entry.value.find(key) != nullptr; };
  if (entry.value.kind != yaml::Kind::map || says_key("scheme") || says_key("host") ||
      says_key("path"))
    return;
  context.report.add(codes::kMissingKey, entry.key_at,
                     fmt::format("{}.redirect needs 'scheme', 'host' or 'path'", place.name),
                     "scheme: https");
}

void finish_respond(const Place& place, Context& context, RouteSettings& route) {
  const RespondSettings& respond = *route.traffic.respond;
  route.rule.action = RouteAction::respond;
  route.rule.answer_status = respond.status;
  const yaml::Entry* body = place.node.find("respond")->value.find("body");
  if (body == nullptr) return;
  if (respond.status == 204 || respond.status == 205 || respond.status == 304)
    context.report.add(codes::kExclusiveKeys, body->key_at,
                       fmt::format("{}.respond has a body, and an answer with status {} has none",
                                   place.name, respond.status),
                       "remove the body, or answer with another status");
  if (respond.body.size() > kMostBody)
    context.report.add(codes::kOutOfRange, body->value.at,
                       fmt::format("{}.respond.body has {}, more than {}", place.name,
                                   show_size(respond.body.size()), show_size(kMostBody)),
                       "let a backend serve what is so long");
}

// What `own` says that only a route with a backend has a use for.
void refuse_keys_of_backends(const Place& own, std::string_view action, Context& context) {
  for (const std::string_view key : kOfBackends)
    if (const yaml::Entry* entry = own.node.find(key))
      context.report.add(codes::kNoBackend, entry->key_at,
                         fmt::format("{} has '{}' beside '{}': no backend is asked", own.name, key,
                                     action),
                         "remove it");
}

}  // namespace

Key<RouteSettings> upgrade_key() {
  const List<Choice<bool>> protocols{{{{"websocket", true}}}, kMostUpgrades};
  return special_key<RouteSettings>(
      "upgrade", "list of websocket", "[]",
      "protocols that a client may switch to; the connection is then a tunnel",
      [protocols](const Place& place, Context& context, RouteSettings& route) {
        if (const auto named = protocols.read(place, context))
          route.traffic.websocket = !named->empty();
      });
}

Key<RouteSettings> fallback_key() {
  return key<RouteSettings>(
      "fallback", [](RouteSettings& r) -> auto& { return r.rule.fallback; }, Text{"backend"},
      "serves where the chosen backend cannot be reached and nothing was sent yet", "none");
}

Key<RouteSettings> redirect_key() {
  return section<RouteSettings>(
      "redirect", [](RouteSettings& r) -> auto& { return r.traffic.redirect; }, redirect_keys());
}

Key<RouteSettings> respond_key() {
  return section<RouteSettings>(
      "respond", [](RouteSettings& r) -> auto& { return r.traffic.respond; }, respond_keys());
}

bool is_answered(const yaml::Node& route) {
  return route.find("redirect") != nullptr || route.find("respond") != nullptr;
}

void finish_actions(const Place& place, const Place& own, Context& context, RouteSettings& route) {
  const gateway::RouteTraffic& traffic = route.traffic;
  if (traffic.redirect) finish_redirect(place, context, route);
  if (traffic.respond) finish_respond(place, context, route);
  if (traffic.redirect.has_value() != traffic.respond.has_value())
    refuse_keys_of_backends(own, traffic.redirect ? "redirect" : "respond", context);
}

}  // namespace segue::config
