#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::TrailerSettings;

constexpr std::size_t kMostUpgrades = 1;   // protocols
constexpr std::size_t kMostTrailers = 64;  // names, each way

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

Key<RouteSettings> trailers_key() {
  const List<HeaderName> names{{}, kMostTrailers};
  return section<RouteSettings>(
      "trailers", [](RouteSettings& r) -> auto& { return r.traffic.trailers; },
      Keys<TrailerSettings>{
          key<TrailerSettings>("request", &TrailerSettings::request, names,
                               "trailer fields of requests that pass; all others are dropped"),
          key<TrailerSettings>("response", &TrailerSettings::response, names,
                               "the same for responses")});
}

Key<RouteSettings> fallback_key() {
  return key<RouteSettings>(
      "fallback", [](RouteSettings& r) -> auto& { return r.rule.fallback; }, Text{"backend"},
      "serves where the chosen backend cannot be reached and nothing was sent yet", "none");
}

}  // namespace segue::config
