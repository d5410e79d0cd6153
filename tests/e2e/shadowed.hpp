#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/gateway_process.hpp"

namespace segue::test {

// Every request goes to `legacy`, and copies of some to `new`: `shadow` holds the keys of `shadow:`
// beside `to`, e.g. "percent: 100". One core, so that limits of the process are limits of the test.
ConfigText shadowed(std::uint16_t legacy, std::uint16_t copies_to, std::string_view shadow);

// What was recorded of one kind: "PRIMARY", "SHADOW", "CONTROL".
std::vector<boost::json::object> recorded_kind(const GatewayProcess& gateway,
                                               std::string_view kind);

// What became of the copies, by the metric; the same of controls.
double shadows(const GatewayProcess& gateway, std::string_view result);
double controls(const GatewayProcess& gateway, std::string_view result);
// Waits until that many copies came to this end, which is on record by then.
void wait_for_shadows(const GatewayProcess& gateway, std::string_view result, double count);
void wait_for_controls(const GatewayProcess& gateway, std::string_view result, double count);
void wait_until_none_in_flight(const GatewayProcess& gateway);

// What a primary's record says of its shadow; empty: nothing.
std::string said_of_shadow(const boost::json::object& primary);

}  // namespace segue::test
