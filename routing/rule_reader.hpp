#pragma once

#include <optional>
#include <span>
#include <vector>

#include "routing/compiled_routes.hpp"

namespace segue::routing {

// Resolves rules one by one into a table that is being built: names become indexes, expressions
// are compiled, and all that can be wrong with a rule alone is collected. One per compile().
class RuleReader {
 public:
  explicit RuleReader(CompiledRoutes& table) : table_(table) {}

  // nullopt when the rule has problems; they are in problems() then.
  std::optional<CompiledRoute> read(const RouteRule& rule);
  std::vector<Problem>& problems() noexcept { return problems_; }

 private:
  void complain(std::string_view under, Complaint complaint);
  void read_host(const RouteRule& rule, CompiledRoute& route);
  void read_path(const RouteRule& rule, CompiledRoute& route);
  void read_methods(const RouteRule& rule, CompiledRoute& route);
  void read_headers(const RouteRule& rule, CompiledRoute& route);
  void read_query(const RouteRule& rule, CompiledRoute& route);
  std::optional<Condition> read_condition(const ValueCondition& given, std::string_view key,
                                          std::vector<std::string>& names);
  void read_target(const RouteRule& rule, CompiledRoute& route);
  void read_split(const RouteRule& rule, CompiledRoute& route);
  std::uint32_t read_arm(std::string_view role);
  void read_rewrite(const RouteRule& rule, CompiledRoute& route);
  void read_fallback(const RouteRule& rule, CompiledRoute& route);
  void read_shadow(const RouteRule& rule, CompiledRoute& route);
  void check_repeatable(const RouteRule& rule);
  // Its index; E044 at `key` when there is none of that name.
  std::optional<std::uint32_t> find_backend(std::string_view name, std::string_view key);
  void check_key(const KeySource& key, std::string_view place, const CompiledRoute& route);

  CompiledRoutes& table_;
  std::string route_key_;  // "routes.NAME"
  std::vector<Problem> problems_;
};

}  // namespace segue::routing
