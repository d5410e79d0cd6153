#include "routing/rule_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace segue::routing {
namespace {

// What a method or a header name is made of (RFC 9110, 5.6.2).
bool is_token(std::string_view text) noexcept {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::uint32_t index_in(std::vector<std::string>& names, const std::string& name) {
  const auto place = std::find(names.begin(), names.end(), name) - names.begin();
  if (static_cast<std::size_t>(place) == names.size()) names.push_back(name);
  return static_cast<std::uint32_t>(place);
}

bool is_host_name(std::string_view name) noexcept {
  if (name.starts_with('[') && name.ends_with(']')) return name.size() > 2;
  return !name.empty() && name.front() != '.' && name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

std::string known_names(const std::vector<BackendRule>& backends) {
  std::vector<std::string> names;
  for (const auto& backend : backends) names.push_back(backend.name);
  return names.empty() ? "define it under `backends`"
                       : fmt::format("one of: {}", fmt::join(names, ", "));
}

}  // namespace

void RuleReader::complain(std::string_view under, Complaint complaint) {
  problems_.push_back({std::move(complaint.code),
                       under.empty() ? route_key_ : fmt::format("{}.{}", route_key_, under),
                       std::move(complaint.message), std::move(complaint.fix)});
}

std::optional<CompiledRoute> RuleReader::read(const RouteRule& rule) {
  const auto problems_before = problems_.size();
  route_key_ = "routes." + rule.name;
  CompiledRoute route;
  route.rule = rule;
  route.splits = rule.split.has_value();
  route.has_account = rule.account.from != KeySource::From::none;
  if (rule.name.empty()) complain("", {"E058", "a route has no name", "name it"});
  read_host(rule, route);
  read_path(rule, route);
  read_methods(rule, route);
  read_headers(rule, route);
  read_query(rule, route);
  const auto& scheme = rule.match.scheme;
  if (!scheme.empty() && scheme != "http" && scheme != "https") {
    complain("match.scheme", {"E043", fmt::format("'{}' is no scheme that clients use", scheme),
                              "http or https"});
  }
  read_target(rule, route);
  read_fallback(rule, route);
  read_shadow(rule, route);
  if (route.patterns.empty()) return std::nullopt;
  check_key(rule.account, "record.key", route);
  read_rewrite(rule, route);
  if (problems_.size() != problems_before) return std::nullopt;
  return route;
}

void RuleReader::read_rewrite(const RouteRule& rule, CompiledRoute& route) {
  const bool redirects = rule.action == RouteAction::redirect;
  auto rewrite = redirects ? RewritePlan::read_location(rule.redirect_path, route.patterns.front())
                           : RewritePlan::read(rule.rewrite, route.patterns.front());
  if (rewrite) {
    route.rewrite = *std::move(rewrite);
  } else if (redirects) {
    complain("redirect.path", rewrite.error());
  } else {
    complain(rule.rewrite.form == RewriteForm::path ? "rewrite.path" : "rewrite.prefix",
             rewrite.error());
  }
}

void RuleReader::read_host(const RouteRule& rule, CompiledRoute& route) {
  std::string_view given = rule.match.host;
  if (given.empty()) return;
  route.host.kind = given.starts_with("*.") ? HostKind::wildcard : HostKind::exact;
  if (route.host.kind == HostKind::wildcard) given.remove_prefix(2);
  route.host.name = normalise_host(given);
  const auto colon = given.rfind(':');
  const bool has_port = colon != std::string_view::npos && !given.ends_with(']');
  if (!has_port && is_host_name(route.host.name)) return;
  complain("match.host", {"E040", fmt::format("'{}' is no host to match", rule.match.host),
                          has_port ? fmt::format("{}   (the port is ignored)",
                                                 rule.match.host.substr(
                                                     0, rule.match.host.rfind(':')))
                                   : "a name, '*.name', or leave `host` out for any"});
}

void RuleReader::read_path(const RouteRule& rule, CompiledRoute& route) {
  static constexpr std::string_view kKeys[] = {"match.path", "match.prefix", "match.regex"};
  auto patterns = read_patterns(rule.match, rule.trailing_slash, table_.regexes);
  if (patterns) {
    route.patterns = *std::move(patterns);
  } else {
    complain(kKeys[static_cast<std::size_t>(rule.match.form)], patterns.error());
  }
}

void RuleReader::read_methods(const RouteRule& rule, CompiledRoute& route) {
  if (!rule.match.methods.empty()) route.methods = 0;
  for (const auto& method : rule.match.methods) {
    const bool is_miswritten = is_token(method) && method != upper(method) &&
                               std::string_view("GET HEAD POST PUT PATCH DELETE OPTIONS")
                                       .find(upper(method)) != std::string_view::npos;
    if (!is_token(method) || is_miswritten) {
      complain("match.method",
               {"E041", fmt::format("'{}' is no method; methods are case-sensitive", method),
                is_miswritten ? upper(method) : "GET, POST and the like"});
      continue;
    }
    const auto bit = index_in(table_.methods, method);
    if (bit >= kMaxMethods) {
      complain("match.method",
               {"E060", fmt::format("more than {} distinct methods in one table", kMaxMethods),
                "match fewer, or leave `method` out"});
      continue;
    }
    route.methods |= std::uint64_t{1} << bit;
  }
}

std::optional<Condition> RuleReader::read_condition(const ValueCondition& given,
                                                    std::string_view key,
                                                    std::vector<std::string>& names) {
  Condition condition{index_in(names, given.name), given.test, given.value, nullptr};
  if (given.test == ValueCondition::Test::present) condition.value.clear();
  if (given.test != ValueCondition::Test::regex) return condition;
  const auto regex = table_.regexes.compile(given.value);
  if (!regex) {
    complain(fmt::format("{}.{}", key, given.name), regex.error());
    return std::nullopt;
  }
  condition.regex = *regex;
  return condition;
}

namespace {

void add_condition(std::vector<Condition>& conditions, Condition condition) {
  const auto place = std::lower_bound(conditions.begin(), conditions.end(), condition.name,
                                      [](const auto& known, auto name) { return known.name < name; });
  conditions.insert(place, std::move(condition));
}

bool has_name(const std::vector<Condition>& conditions, std::uint32_t name) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const auto& known) { return known.name == name; });
}

Complaint twice(std::string_view name) {
  return {"E042", fmt::format("two conditions on '{}'", name),
          "one condition a name; { regex: ... } can say more"};
}

}  // namespace

void RuleReader::read_headers(const RouteRule& rule, CompiledRoute& route) {
  for (auto given : rule.match.headers) {
    given.name = lower(given.name);
    if (!is_token(given.name)) {
      complain("match.header", {"E042", fmt::format("'{}' is no header name", given.name), ""});
    } else if (given.name == "host") {
      complain("match.header.host",
               {"E042", "the host is matched by `host`, which ignores its port", "match.host"});
    } else if (auto condition = read_condition(given, "match.header", table_.header_names)) {
      if (has_name(route.headers, condition->name)) {
        complain(fmt::format("match.header.{}", given.name), twice(given.name));
      } else {
        add_condition(route.headers, *std::move(condition));
      }
    }
  }
}

void RuleReader::read_query(const RouteRule& rule, CompiledRoute& route) {
  for (const auto& given : rule.match.query) {
    if (given.name.empty()) {
      complain("match.query", {"E042", "a query condition has no name", ""});
    } else if (auto condition = read_condition(given, "match.query", table_.query_names)) {
      if (has_name(route.query, condition->name)) {
        complain(fmt::format("match.query.{}", given.name), twice(given.name));
      } else {
        add_condition(route.query, *std::move(condition));
      }
    }
  }
}

void RuleReader::read_target(const RouteRule& rule, CompiledRoute& route) {
  route.action = rule.action;
  if (rule.action != RouteAction::forward) {
    if (rule.split || !rule.to.empty())
      complain("", {"E045", "the route is answered by the gateway and has a backend, too",
                    "remove `to` or `split`, or the redirect or respond"});
    return;
  }
  if (rule.split.has_value() == !rule.to.empty()) {
    complain("", {"E045", rule.to.empty() ? "the route has neither `to` nor `split`"
                                          : "the route has both `to` and `split`",
                  "to: BACKEND, or split: { legacy: 90, new: 10 } with `sticky`"});
    return;
  }
  if (rule.split) return read_split(rule, route);
  route.backend = find_backend(rule.to, "to").value_or(0);
}

std::optional<std::uint32_t> RuleReader::find_backend(std::string_view name,
                                                      std::string_view key) {
  const auto found = std::find_if(table_.backends.begin(), table_.backends.end(),
                                  [&](const auto& backend) { return backend.name == name; });
  if (found != table_.backends.end())
    return static_cast<std::uint32_t>(found - table_.backends.begin());
  complain(key,
           {"E044", fmt::format("there is no backend '{}'", name), known_names(table_.backends)});
  return std::nullopt;
}

void RuleReader::read_split(const RouteRule& rule, CompiledRoute& route) {
  route.salt = rule.split->salt.empty() ? rule.name : rule.split->salt;
  if (rule.split->new_share > kBuckets) {
    complain("split", {"E059", "the arms of a split sum to 100", "split: { legacy: 90, new: 10 }"});
  }
  if (rule.split->key.from == KeySource::From::none) {
    complain("sticky.key", {"E046", "a split needs a sticky key, or users would change arms",
                            "sticky: { key: cookie:uid, missing: legacy }"});
  }
  route.legacy_arm = read_arm("legacy");
  route.new_arm = read_arm("new");
  if (!route.patterns.empty()) check_key(rule.split->key, "sticky.key", route);
}

// An arm of a split may be the fallback of the other one.
void RuleReader::read_fallback(const RouteRule& rule, CompiledRoute& route) {
  if (rule.fallback.empty()) return;
  if (const auto backend = find_backend(rule.fallback, "fallback"))
    route.fallback = static_cast<std::int32_t>(*backend);
  if (rule.split || rule.fallback != rule.to) return;
  complain("fallback", {"E064", fmt::format("the route goes to '{}' already", rule.to),
                        "name the other backend, or leave `fallback` out"});
}

std::uint32_t RuleReader::read_arm(std::string_view role) {
  std::uint32_t backend = 0;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < table_.backends.size(); ++i) {
    const auto& known = table_.backends[i];
    if ((known.role.empty() ? known.name : known.role) != role) continue;
    backend = static_cast<std::uint32_t>(i);
    names.push_back(known.name);
  }
  if (names.size() == 1) return backend;
  complain("split",
           {"E047",
            names.empty() ? fmt::format("no backend has the role '{}'", role)
                          : fmt::format("more than one backend has the role '{}': {}", role,
                                        fmt::join(names, ", ")),
            fmt::format("give exactly one backend `role: {}`", role)});
  return backend;
}

void RuleReader::read_shadow(const RouteRule& rule, CompiledRoute& route) {
  if (!rule.shadow) return;
  route.shadows = true;
  route.shadows_unsafe = !rule.shadow->writes.empty();
  route.shadows_other_arm = rule.shadow->to == kOtherArm;
  if (!route.shadows_unsafe) check_repeatable(rule);
  if (route.shadows_other_arm) {
    if (rule.split) return;
    complain("shadow.to", {"E062", "'other' is the arm that a split did not choose, and this route "
                                   "has no split",
                           known_names(table_.backends)});
    return;
  }
  const auto backend = find_backend(rule.shadow->to, "shadow.to");
  route.shadow_backend = backend.value_or(0);
  if (!backend || rule.split || rule.shadow->to != rule.to) return;
  complain("shadow.to",
           {"E061", fmt::format("the route goes to '{}' already", rule.to),
            "name the other backend; `control_percent` sends to the same one again"});
}

// A route that names no method is let be: its unsafe requests are not copied.
void RuleReader::check_repeatable(const RouteRule& rule) {
  const auto unsafe =
      std::find_if(rule.match.methods.begin(), rule.match.methods.end(),
                   [](const auto& method) { return is_token(method) && !is_safe_method(method); });
  if (unsafe == rule.match.methods.end()) return;
  complain("shadow", {"E063",
                      fmt::format("a copy of a {} has effects, and nothing says where they go",
                                  *unsafe),
                      "writes: \"where they go\", or match GET, HEAD and OPTIONS only"});
}

void RuleReader::check_key(const KeySource& key, std::string_view place,
                           const CompiledRoute& route) {
  if (key.from != KeySource::From::path || route.patterns.front().has_parameter(key.name)) return;
  complain(place, {"E048", fmt::format("the path has no parameter '{}'", key.name),
                   fmt::format("name a segment of the path {{{}}}", key.name)});
}

}  // namespace segue::routing
