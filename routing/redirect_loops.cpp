#include "routing/redirect_loops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "routing/compiled_routes.hpp"
#include "routing/location.hpp"
#include "routing/precedence.hpp"

namespace segue::routing {
namespace {

constexpr int kMostHops = 20;  // browsers give up about there

std::string_view port_of(std::string_view authority, std::string_view scheme) {
  const std::string_view port = authority.substr(without_port(authority).size());
  if (port.size() > 1) return port.substr(1);
  return scheme == "https" ? "443" : "80";
}

// A browser that is sent from one location to the next.
class Browser {
 public:
  Browser(const RouteTable& table, Witness first) : table_(table), at_(std::move(first)) {
    if (at_.host.empty()) at_.host = "localhost";
    for (const auto& [name, value] : at_.headers) fields_.push_back({name, value});
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // The redirect that takes what is asked for now; null: it leads on no further.
  const CompiledRoute* redirected_by() {
    const Decision decision = table_.decide(head(), Peer{"127.0.0.1"}, scratch_);
    if (decision.route == nullptr || decision.action != RouteAction::redirect) return nullptr;
    target_ = decision.upstream_target;
    return &table_.compiled().routes[decision.route->index];
  }

  // Goes where that redirect says. False: to a place that may be somebody else's.
  bool follow(const CompiledRoute& redirect) {
    const RouteRule& rule = redirect.rule;
    const bool same_scheme = rule.redirect_scheme.empty() || rule.redirect_scheme == at_.scheme;
    const bool is_here = rule.redirect_host.empty() || is_ours(rule.redirect_host, same_scheme);
    if (!rule.redirect_host.empty())
      at_.host = rule.redirect_host;
    else if (!same_scheme)
      at_.host = without_port(at_.host);
    if (!same_scheme) at_.scheme = rule.redirect_scheme;
    at_.target = target_;
    const bool gets = rule.answer_status == 303 || (rule.answer_status < 303 && at_.method == "POST");
    if (gets && at_.method != "HEAD") at_.method = "GET";
    return is_here;
  }

  std::string url() const {
    return location_of(head(), {{}, {}, at_.target}).value_or(at_.target);
  }

 private:
  HeadView head() const { return {at_.method, at_.scheme, at_.host, at_.target, fields_}; }

  // Another port that speaks the same scheme is another server's: nothing here says otherwise.
  bool is_ours(std::string_view host, bool same_scheme) const {
    if (same_scheme && port_of(host, at_.scheme) != port_of(at_.host, at_.scheme)) return false;
    const std::string name = normalise_host(host);
    const auto& routes = table_.compiled().routes;
    return std::any_of(routes.begin(), routes.end(), [&](const CompiledRoute& route) {
      return route.host.kind != HostKind::any && route.host.matches(name);
    });
  }

  const RouteTable& table_;
  Witness at_;
  std::vector<Field> fields_;
  Scratch scratch_;
  std::string target_;
};

// What to write instead.
std::string fix_of(const RouteRule& rule) {
  const bool only_scheme =
      rule.redirect_host.empty() && rule.redirect_path.empty() && rule.match.scheme.empty();
  if (!only_scheme) return "match only what the location is not, or redirect elsewhere";
  return fmt::format("match: {{ scheme: {} }}", rule.redirect_scheme == "https" ? "http" : "https");
}

std::optional<Problem> follow_from(const RouteTable& table, const CompiledRoute& route,
                                   Witness first) {
  Browser browser(table, std::move(first));
  if (browser.redirected_by() != &route) return std::nullopt;  // another route takes the example
  const std::string asked = browser.url();
  std::string sent_to;
  for (int hop = 0; hop < kMostHops; ++hop) {
    const CompiledRoute* redirect = browser.redirected_by();
    if (redirect == nullptr || !browser.follow(*redirect)) return std::nullopt;
    if (hop == 0) sent_to = browser.url();
  }
  return Problem{"E065", fmt::format("routes.{}.redirect", route.rule.name),
                 fmt::format("the redirect never ends: {} is sent to {}, and from there on and on",
                             asked, sent_to),
                 fix_of(route.rule)};
}

std::optional<Problem> check(const RouteTable& table, const CompiledRoute& route) {
  for (const PathPattern& pattern : route.patterns) {
    const Candidate candidate{&route, &pattern};
    for (const char* scheme : {"http", "https"}) {
      const auto& wanted = route.rule.match.scheme;
      auto witness = example_for(candidate, candidate, table.compiled());
      if (!witness || (!wanted.empty() && wanted != scheme)) continue;
      witness->scheme = scheme;
      if (auto problem = follow_from(table, route, *std::move(witness))) return problem;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<Problem> find_redirect_loops(const RouteTable& table) {
  std::vector<Problem> problems;
  for (const CompiledRoute& route : table.compiled().routes) {
    if (route.action != RouteAction::redirect) continue;
    if (auto problem = check(table, route)) problems.push_back(*std::move(problem));
  }
  return problems;
}

}  // namespace segue::routing
