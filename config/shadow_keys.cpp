#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::ShadowSettings;
using routing::ShadowRule;

constexpr std::uint64_t kMostInFlight = 100'000;
// Each copy under way may hold as much, and its core copies it beside serving clients.
constexpr std::uint64_t kMostBody = std::uint64_t{8} << 20;
constexpr std::size_t kMostRemoved = 64;  // headers

ShadowRule& rule_of(RouteSettings& route) {
  return *route.rule.shadow;
}
ShadowSettings& settings_of(RouteSettings& route) {
  return *route.shadow;
}

template <class Type, class Member>
Key<RouteSettings> setting(std::string name, Member ShadowSettings::* where, Type type,
                           std::string about) {
  return key<RouteSettings>(
      std::move(name), [where](RouteSettings& r) -> auto& { return settings_of(r).*where; }, type,
      std::move(about));
}

Key<RouteSettings> to_key() {
  return required(key<RouteSettings>(
      "to", [](RouteSettings& r) -> auto& { return rule_of(r).to; }, Text{"backend, or other"},
      "where copies go; `other` is the arm of the split that was not chosen", ""));
}

Key<RouteSettings> percent_key() {
  return required(key<RouteSettings>(
      "percent", [](RouteSettings& r) -> auto& { return settings_of(r).share; }, Percent{},
      "of the requests, copied after they were answered", ""));
}

Key<RouteSettings> writes_key() {
  return key<RouteSettings>(
      "writes", [](RouteSettings& r) -> auto& { return rule_of(r).writes; }, Text{},
      "where the side effects of copies go, for people to read; without it only GET, HEAD and "
      "OPTIONS are copied",
      "");
}

// What routes that shadow may have in common.
Keys<RouteSettings> common_keys() {
  return {
      setting("control_percent", &ShadowSettings::control_share, Percent{},
              "of the requests, sent to the same backend again: how often it differs from itself "
              "is noise; safe methods only; at most `percent`"),
      setting("timeout", &ShadowSettings::timeout,
              Duration{milliseconds{1}, std::chrono::hours{24}},
              "of each copy, from connecting to the last byte of the answer"),
      setting("max_in_flight", &ShadowSettings::max_in_flight, Count{1, kMostInFlight},
              "copies of the route at the same time; what comes on top is skipped and counted"),
      setting(
          "max_body", &ShadowSettings::max_body_bytes, Size{0, kMostBody},
          "of a request that is copied, and of the answer to the copy; every copy under way may "
          "hold as much memory"),
      setting("remove_headers", &ShadowSettings::remove_headers, List<HeaderName>{{}, kMostRemoved},
              "fields that copies go without, such as credentials"),
  };
}

const Keys<RouteSettings>& keys_of_route() {
  static const Keys<RouteSettings> keys = [] {
    Keys<RouteSettings> made{to_key(), percent_key(), writes_key()};
    for (Key<RouteSettings>& key : common_keys()) made.push_back(std::move(key));
    return made;
  }();
  return keys;
}

// Refused in `defaults`, and not documented there.
Key<RouteSettings> of_route_only(std::string name) {
  return {name,
          [name](const Place& place, Context& context, RouteSettings&) {
            context.report.add(
                codes::kUnknownKey, place.at,
                fmt::format("'{}' is said by each route that has a shadow, not by "
                            "defaults",
                            name),
                fmt::format("routes: {{ NAME: {{ shadow: {{ {}: ... }} }} }}", name));
          },
          [](const std::string&, const RouteSettings&, std::vector<KeyRow>&) {}};
}

const Keys<RouteSettings>& keys_of_defaults() {
  static const Keys<RouteSettings> keys = [] {
    Keys<RouteSettings> made{of_route_only("to"), of_route_only("percent"),
                             of_route_only("writes")};
    for (Key<RouteSettings>& key : common_keys()) made.push_back(std::move(key));
    return made;
  }();
  return keys;
}

Key<RouteSettings> shadow_with(const Keys<RouteSettings>& keys) {
  return {
      "shadow",
      [&keys](const Place& place, Context& context, RouteSettings& route) {
        route.rule.shadow.emplace();
        route.shadow.emplace();
        read_map(place, keys, context, route);
      },
      [&keys](const std::string& path, const RouteSettings& defaults, std::vector<KeyRow>& rows) {
        RouteSettings with_shadow = defaults;
        with_shadow.rule.shadow.emplace();
        with_shadow.shadow.emplace();
        document_keys(path, keys, with_shadow, rows);
      }};
}

}  // namespace

Key<RouteSettings> shadow_key() {
  return shadow_with(keys_of_route());
}

Key<RouteSettings> default_shadow_key() {
  return shadow_with(keys_of_defaults());
}

void finish_shadow(const Place& place, Context& context, const RouteSettings& route) {
  if (route.shadow && !route.record.enabled)
    context.report.add(
        codes::kExclusiveKeys, place.node.find("shadow")->key_at,
        fmt::format("{}.shadow copies what is not recorded (record: none)", place.name),
        "a copy is there to be compared, and what is compared is what was recorded: record the "
        "route, without bodies if need be (record: { bodies: none })");
  if (!route.shadow || route.shadow->control_share <= route.shadow->share) return;
  const yaml::Node& shadow = place.node.find("shadow")->value;
  if (shadow.find("percent") == nullptr) return;  // reported
  context.report.add(
      codes::kOutOfRange, shadow.find("control_percent")->value.at,
      fmt::format("{}.shadow.control_percent is {:g} and more than its percent, {:g}", place.name,
                  route.shadow->control_share / 100.0, route.shadow->share / 100.0),
      "only requests that are copied are sent to the same backend again, too");
}

}  // namespace segue::config
