#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/exchange.hpp"
#include "exchange/head.hpp"
#include "routing/route_rule.hpp"
#include "routing/scratch.hpp"

namespace segue::routing {

// A compiled route as the data plane sees it. Lives as long as its table.
struct Route {
  std::string name;
  std::string path_template;  // the text of path, prefix or regex: metric label http_route
  std::uint32_t index = 0;    // 0..routes-1, in the order of names: for counters and settings
};

// What decide() found. Views point into the request head, the table, or the scratch.
struct Decision {
  enum class Verdict : std::uint8_t {
    routed,
    no_route,        // 404
    path_confusion,  // 400: raw and resolved path would choose different routes
    bad_target,      // 400: '#', %00, broken escape, escape above the root
  };
  Verdict verdict = Verdict::no_route;
  const Route* route = nullptr;   // null unless routed
  RouteAction action = RouteAction::forward;
  std::uint32_t backend = 0;      // with `forward`: index into the backends given to compile()
  std::int32_t fallback = -1;     // another such index; -1: none, or it is `backend`
  std::int32_t bucket = -1;       // 0..9999; -1: no split
  std::span<const Parameter> parameters;
  std::string_view account_id;    // value of the route's key source; empty when absent
  // After rewrite; the raw target when there is none. With `redirect`: path and query of the
  // location.
  std::string_view upstream_target;

  // Whether a copy may go to another backend, were every request sampled.
  enum class Shadow : std::uint8_t {
    none,           // the route has no `shadow`
    chosen,         // to shadow_backend
    unsafe_method,  // and the route does not state `writes`
    same_backend,   // the split chose the one that would shadow
  };
  Shadow shadow = Shadow::none;
  std::uint32_t shadow_backend = 0;  // with `chosen`: index into the backends given to compile()
};

// Facts about a request that are not in its head.
struct Peer {
  std::string_view address;  // without the port
};

struct CompileResult;
struct CompiledRoutes;

// Immutable once compiled; any thread may decide() with a scratch of its own. Not copied: a core
// that wants its own copy compiles its own. Routes live as long as their table.
class RouteTable {
 public:
  // All problems are reported, not only the first. Ties come with a witness request in the
  // message and the fix to paste. O(routes^2) at worst; regexes are RE2.
  static CompileResult compile(std::span<const RouteRule> rules,
                               std::span<const BackendRule> backends);
  ~RouteTable();

  // The precedence rule of docs/routing.md. Never fails, never blocks; cost grows with path
  // segments, not with routes.
  Decision decide(const HeadView& head, const Peer& peer, Scratch& scratch) const noexcept;

  std::span<const Route> routes() const noexcept;
  // Lower-case names of the headers that any condition reads: recorded as decision inputs.
  std::span<const std::string> decision_headers() const noexcept;
  // Short hash of the compiled routing, 12 hex digits: order, comments and tests do not change it.
  std::string_view version() const noexcept;
  // What the table is made of, for explain, listing and tests of routes.
  const CompiledRoutes& compiled() const noexcept { return *compiled_; }

 private:
  explicit RouteTable(std::unique_ptr<const CompiledRoutes> compiled);
  std::unique_ptr<const CompiledRoutes> compiled_;
};

struct CompileResult {
  std::unique_ptr<const RouteTable> table;  // null when there are problems
  std::vector<Problem> problems;
};

}  // namespace segue::routing
