#include "routing/canonical.hpp"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

#include "routing/key_source.hpp"

namespace segue::routing {
namespace {

// Every part with its length, so that no two tables can run together into one text.
void add(std::string& text, std::string_view part) {
  text += fmt::format("{}:{};", part.size(), part);
}

std::vector<std::string> sorted(std::vector<std::string> list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

void add_all(std::string& text, std::vector<std::string> list) {
  text += fmt::format("[{}]", list.size());
  for (const auto& part : list) add(text, part);
}

std::vector<std::string> condition_texts(const std::vector<Condition>& conditions,
                                         const std::vector<std::string>& names) {
  std::vector<std::string> texts;
  for (const auto& condition : conditions) {
    std::string text;
    add(text, names[condition.name]);
    add(text, std::to_string(static_cast<int>(condition.test)));
    add(text, condition.value);
    texts.push_back(std::move(text));
  }
  return sorted(std::move(texts));
}

std::string route_text(const CompiledRoute& route, const CompiledRoutes& table) {
  const RouteRule& rule = route.rule;
  std::string text;
  add(text, rule.name);
  add_all(text, sorted(rule.match.methods));
  add(text, fmt::format("{}{}", static_cast<int>(route.host.kind), route.host.name));
  add(text, std::to_string(static_cast<int>(rule.match.form)));
  add(text, rule.match.path);
  add(text, rule.match.under);
  add_all(text, condition_texts(route.headers, table.header_names));
  add_all(text, condition_texts(route.query, table.query_names));
  add(text, rule.match.scheme);
  add(text, rule.to);
  if (rule.split) {
    add(text, fmt::format("{}/{}", rule.split->new_share, rule.split->missing_to_new ? 1 : 0));
    add(text, text_of(rule.split->key));
    add(text, route.salt);
  }
  add(text, fmt::format("{}{}", static_cast<int>(rule.rewrite.form), rule.rewrite.to));
  add_all(text, sorted(rule.before));
  add(text, std::to_string(static_cast<int>(rule.trailing_slash)));
  add(text, text_of(rule.account));
  // What `writes` says is for people; that it says something decides.
  if (rule.shadow) add(text, fmt::format("shadow {}/{}", rule.shadow->to, route.shadows_unsafe));
  if (rule.action != RouteAction::forward)
    add(text, fmt::format("answer {}/{}", static_cast<int>(rule.action), rule.answer_status));
  if (rule.action == RouteAction::redirect)
    for (const auto* part : {&rule.redirect_scheme, &rule.redirect_host, &rule.redirect_path})
      add(text, *part);
  if (!rule.fallback.empty()) add(text, fmt::format("fallback {}", rule.fallback));
  return text;
}

// "https://shop.example/new/{id}"; what is the request's own is left out: "https:", "//shop.example".
std::string location_text(const RouteRule& rule) {
  std::string text;
  if (!rule.redirect_scheme.empty()) text += rule.redirect_scheme + ":";
  if (!rule.redirect_host.empty()) text += "//" + rule.redirect_host;
  return text + rule.redirect_path;
}

}  // namespace

std::string canonical_text(const CompiledRoutes& table) {
  std::vector<std::string> backends;
  for (const auto& backend : table.backends)
    backends.push_back(fmt::format("{}={}", backend.name,
                                   backend.role.empty() ? backend.name : backend.role));
  std::string text;
  add_all(text, sorted(std::move(backends)));
  for (const auto& route : table.routes) add(text, route_text(route, table));
  return text;
}

std::string version_of(const CompiledRoutes& table) {
  const auto text = canonical_text(table);
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size())).substr(0, 12);
}

std::string matcher_text(const CompiledRoute& route, const CompiledRoutes& table) {
  const Match& match = route.rule.match;
  std::vector<std::string> parts;
  if (!match.methods.empty()) parts.push_back(fmt::format("{}", fmt::join(match.methods, "|")));
  if (!match.scheme.empty()) parts.push_back(match.scheme + "://");
  if (!match.host.empty()) parts.push_back(match.host);
  if (match.form == PathForm::path) parts.push_back(match.path);
  if (match.form == PathForm::prefix) parts.push_back(match.path + (match.path == "/" ? "*" : "/*"));
  if (match.form == PathForm::regex) parts.push_back(fmt::format("~{} under {}", match.path, match.under));
  for (const auto& condition : route.headers)
    parts.push_back(fmt::format("{}={}", table.header_names[condition.name], text_of(condition)));
  for (const auto& condition : route.query)
    parts.push_back(fmt::format("?{}={}", table.query_names[condition.name], text_of(condition)));
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string target_text(const CompiledRoute& route, const CompiledRoutes& table) {
  const RouteRule& rule = route.rule;
  if (rule.action == RouteAction::respond) return fmt::format("respond {}", rule.answer_status);
  if (rule.action == RouteAction::redirect)
    return fmt::format("redirect {} {}", rule.answer_status, location_text(rule));
  if (!rule.split) return table.backends[route.backend].name;
  const double share = rule.split->new_share / 100.0;
  return fmt::format("{} {:g} / {} {:g}", table.backends[route.legacy_arm].name, 100 - share,
                     table.backends[route.new_arm].name, share);
}

}  // namespace segue::routing
