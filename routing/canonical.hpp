#pragma once

#include <string>

#include "routing/compiled_routes.hpp"

namespace segue::routing {

// A text that is equal for two tables exactly when they route alike by construction: independent
// of the order in which routes, methods, conditions and backends were written.
std::string canonical_text(const CompiledRoutes& table);

// 12 hexadecimal digits of the hash of canonical_text().
std::string version_of(const CompiledRoutes& table);

// The conditions of a route for people: "GET|HEAD api.example /searches/{id} x-beta=1".
std::string matcher_text(const CompiledRoute& route, const CompiledRoutes& table);
// Where a route sends to, for people: "legacy", "legacy 90 / new 10", "redirect 308 https:" (what is
// the request's own is left out) or "respond 410".
std::string target_text(const CompiledRoute& route, const CompiledRoutes& table);

}  // namespace segue::routing
