#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routing/conditions.hpp"
#include "routing/key_source.hpp"
#include "routing/path_pattern.hpp"
#include "routing/regex_pool.hpp"
#include "routing/rewrite.hpp"
#include "routing/route_rule.hpp"
#include "routing/route_table.hpp"
#include "routing/segment_trie.hpp"

namespace segue::routing {

enum class HostKind : std::uint8_t { exact, wildcard, any };  // the better rank first

struct HostPattern {
  HostKind kind = HostKind::any;
  std::string name;  // lower-case; of a wildcard what follows "*."
  // `host` as normalise_host() leaves it. A wildcard takes one label or more.
  bool matches(std::string_view host) const noexcept;
  std::size_t labels() const noexcept;
};

// Appends `authority` without port and without a dot at its end, in lower case.
void append_normalised_host(std::string& out, std::string_view authority);
std::string normalise_host(std::string_view authority);

// Distinct methods that one table may name; they are bits of a word.
inline constexpr std::size_t kMaxMethods = 63;
inline constexpr std::uint64_t kAnyMethod = ~std::uint64_t{0};
inline constexpr std::uint64_t kOtherMethod = std::uint64_t{1} << kMaxMethods;

// A rule with everything resolved: what the tree points at. What every decision reads is in
// front, within one cache line.
struct CompiledRoute {
  std::uint64_t methods = kAnyMethod;  // bits in the order of CompiledRoutes::methods
  std::uint32_t backend = 0;           // without a split
  std::uint32_t legacy_arm = 0;        // with a split
  std::uint32_t new_arm = 0;
  std::uint32_t shadow_backend = 0;  // with a shadow that names one
  bool splits = false;
  bool has_account = false;
  bool shadows = false;
  bool shadows_other_arm = false;
  bool shadows_unsafe = false;  // `writes` is stated
  RouteAction action = RouteAction::forward;
  std::int32_t fallback = -1;  // index of a backend; -1: none
  RewritePlan rewrite;  // of a redirect: path and query of the location
  Route route;
  HostPattern host;
  std::vector<PathPattern> patterns;
  std::vector<Condition> headers;  // by name
  std::vector<Condition> query;    // by name
  std::string salt;
  RouteRule rule;
};

// What becomes of a copy of a request that goes to `backend`; see Decision::Shadow.
struct ShadowChoice {
  Decision::Shadow shadow = Decision::Shadow::none;
  std::uint32_t backend = 0;  // with `chosen`
};
ShadowChoice choose_shadow(const CompiledRoute& route, std::string_view method,
                           std::uint32_t backend) noexcept;

// Everything a table is made of. Immutable once compile() returned it; for the table itself, for
// explain, listing and tests of routes. Routes are in the order of their names.
struct CompiledRoutes {
  std::vector<BackendRule> backends;
  RegexPool regexes;
  std::vector<std::string> methods;       // bit i of CompiledRoute::methods
  std::vector<std::string> header_names;  // lower-case; Condition::name of headers
  std::vector<std::string> query_names;
  std::vector<CompiledRoute> routes;
  std::vector<Route> public_routes;
  std::vector<TrieEntry> order;  // all patterns in their effective order
  std::vector<SegmentTrie> tries;
  std::map<std::string, std::uint32_t, std::less<>> exact_hosts;     // index in tries
  std::map<std::string, std::uint32_t, std::less<>> wildcard_hosts;  // by what follows "*."
  std::optional<std::uint32_t> any_host;
  std::string version;

  std::uint64_t method_bit(std::string_view method) const noexcept;
};

}  // namespace segue::routing
