#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routing/compiled_routes.hpp"

namespace segue::routing {

// One pattern of one route: what is ranked. A route with `trailing_slash: ignore` has two.
struct Candidate {
  const CompiledRoute* route = nullptr;
  const PathPattern* pattern = nullptr;
};

// The rule of docs/routing.md that decides between two routes that match the same request.
enum class DecidedBy : std::uint8_t { host, path, narrower, before, nothing };

struct Preference {
  DecidedBy by = DecidedBy::nothing;
  bool first_wins = false;
};

// Compares two candidates as if both matched one request. O(segments + conditions).
Preference prefer(const Candidate& a, const Candidate& b);
// The same by rules 1 to 3, as if `before` were not written.
Preference prefer_unaided(const Candidate& a, const Candidate& b);

// Whether a's conditions on method, scheme, header and query include all of b's.
bool includes_conditions(const CompiledRoute& a, const CompiledRoute& b);
// The same, where `a` only has the methods of `methods`.
bool includes_conditions(const CompiledRoute& a, std::uint64_t methods, const CompiledRoute& b);

// False when it is proven that no request matches both.
bool may_overlap(const Candidate& a, const Candidate& b);
// True when it is proven that every path and host that `b` matches, `a` matches too.
bool covers(const Candidate& a, const Candidate& b);

// A request as an example.
struct Witness {
  std::string method;
  std::string scheme;  // empty: any
  std::string host;    // empty: any
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
};

// A request that both match; nullopt when none could be constructed.
std::optional<Witness> example_for(const Candidate& a, const Candidate& b,
                                   const CompiledRoutes& table);
// The same in words: "GET /a/b with x-beta: 1, Host: a.example".
std::optional<std::string> witness_for(const Candidate& a, const Candidate& b,
                                       const CompiledRoutes& table);

}  // namespace segue::routing
