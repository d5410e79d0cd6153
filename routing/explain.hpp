#pragma once

#include <string>
#include <utility>
#include <vector>

#include "routing/route_table.hpp"

namespace segue::routing {

// A route and why it stands where it does, for people: "narrower: adds header x-beta=1".
struct Standing {
  std::string route;
  std::string reason;
};

// Why a request goes where it goes. Owns its text. For commands and the admin API: it looks at
// every route, so it is not for the data plane.
struct Explanation {
  Decision::Verdict verdict = Decision::Verdict::no_route;
  std::string winner;           // route; empty unless routed
  std::string target;           // "new", "legacy 90 / new 10", "redirect 308 https:", "respond 410"
  std::string backend;          // the one chosen; empty: the gateway answers
  std::string fallback;         // the one that serves where that cannot be reached; empty: none
  std::string location;         // of a redirect
  std::int32_t bucket = -1;     // of a split with a key
  Decision::Shadow shadow = Decision::Shadow::none;
  std::string shadow_backend;   // with Shadow::chosen
  std::string path;             // as routing reads it: dots resolved, decoded
  std::string upstream_target;  // after rewrite; empty: no backend sees it
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<Standing> beaten;       // other routes that match, best first
  std::vector<Standing> near_misses;  // routes that one condition keeps from matching, by name
};

Explanation explain(const RouteTable& table, const HeadView& head, const Peer& peer);

// One line on a verdict that is not `routed`: "400: raw and resolved path ...".
std::string text_of(Decision::Verdict verdict);

}  // namespace segue::routing
