#include "tests/e2e/shadowed.hpp"

#include <fmt/format.h>

#include "tests/support/recorded.hpp"

namespace segue::test {
namespace {

constexpr std::string_view kShadows = "segue_shadow_requests_total";
constexpr std::string_view kControls = "segue_shadow_control_requests_total";

std::vector<std::string> labelled(std::string_view result) {
  return {fmt::format("result=\"{}\"", result)};
}

}  // namespace

ConfigText shadowed(std::uint16_t legacy, std::uint16_t copies_to, std::string_view shadow) {
  ConfigText config;
  config.with("cores", "{ count: 1 }")
      .backend("legacy", legacy)
      .backend("new", copies_to)
      .route("all",
             fmt::format("{{ match: {{ prefix: / }}, to: legacy, shadow: {{ to: new, {} }} }}",
                         shadow));
  return config;
}

std::vector<boost::json::object> recorded_kind(const GatewayProcess& gateway,
                                               std::string_view kind) {
  std::vector<boost::json::object> found;
  for (auto& exchange : recorded(gateway.journal()))
    if (text_of(exchange.at("kind")) == kind) found.push_back(std::move(exchange));
  return found;
}

double shadows(const GatewayProcess& gateway, std::string_view result) {
  return gateway.metric(kShadows, labelled(result));
}

double controls(const GatewayProcess& gateway, std::string_view result) {
  return gateway.metric(kControls, labelled(result));
}

void wait_for_shadows(const GatewayProcess& gateway, std::string_view result, double count) {
  gateway.wait_for_metric(kShadows, labelled(result), count);
}

void wait_for_controls(const GatewayProcess& gateway, std::string_view result, double count) {
  gateway.wait_for_metric(kControls, labelled(result), count);
}

void wait_until_none_in_flight(const GatewayProcess& gateway) {
  const Deadline deadline;
  while (gateway.metric("segue_shadow_in_flight") != 0)
    if (deadline.left() == 0) throw TestFailure("shadows stay in flight:\n" + gateway.metrics());
}

std::string said_of_shadow(const boost::json::object& primary) {
  const auto* const said = primary.at("decision").as_object().if_contains("shadow");
  return said == nullptr ? std::string() : text_of(*said);
}

}  // namespace segue::test
