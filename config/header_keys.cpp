#include <algorithm>

#include "config/keys.hpp"
#include "config/value_types.hpp"
#include "gateway/http1/characters.hpp"
#include "gateway/http1/header_edits.hpp"
#include "gateway/http1/trailers.hpp"

namespace segue::config {
namespace {

using gateway::HeaderRules;
using gateway::RouteTraffic;
using gateway::TrailerSettings;
using gateway::http1::HeaderEdit;
using gateway::http1::HeadKind;

constexpr std::size_t kMostHeaders = 64;   // that one route sets, or removes
constexpr std::size_t kMostTrailers = 64;  // names, each way

void refuse_header(const Place& place, Context& context, std::string message, std::string hint) {
  context.report.add(codes::kHeaderRules, place.at, std::move(message), std::move(hint));
}

// Whether a route may change fields of that name; reports where `at` points otherwise.
bool may_edit(std::string_view name, const Place& at, Context& context, HeadKind kind,
              HeaderEdit edit) {
  const auto why = gateway::http1::why_not_edited(name, kind, edit);
  if (why.empty()) return true;
  refuse_header(at, context,
                fmt::format("'{}' cannot be {} by a route: {}", name,
                            edit == HeaderEdit::set ? "set" : "removed", why),
                "leave it out");
  return false;
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) {
                        return (gateway::http1::classes_of(c) & gateway::http1::kControl) != 0;
                      }) &&
         text == gateway::http1::trim_blanks(text);
}

Keys<HeaderRules> header_rule_keys(HeadKind kind) {
  const List<HeaderName> names{{}, kMostHeaders};
  return {special_key<HeaderRules>(
              "set", "map of texts", "{}",
              "fields that have these values and no other; strict-transport-security over https "
              "only",
              [kind](const Place& place, Context& context, HeaderRules& rules) {
                if (auto headers = read_header_map(place, context, kind))
                  rules.set = std::move(*headers);
              }),
          special_key<HeaderRules>(
              "remove", names.type(), "[]", "fields that do not pass",
              [names, kind](const Place& place, Context& context, HeaderRules& rules) {
                auto removed = names.read(place, context);
                if (!removed) return;
                rules.remove = std::move(*removed);
                for (std::size_t i = 0; i < place.node.items.size(); ++i)
                  may_edit(place.node.items[i].text, place.item(i), context, kind,
                           HeaderEdit::remove);
              })};
}

Key<RouteSettings> header_rules_key(std::string name, HeaderRules RouteTraffic::* where,
                                    HeadKind kind) {
  return section<RouteSettings>(
      std::move(name), [where](RouteSettings& r) -> auto& { return r.traffic.*where; },
      header_rule_keys(kind));
}

bool names(const HeaderFields& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
    return gateway::http1::is_same_name(header.first, name);
  });
}

// The place of a header within `set` or `remove` of a node with header rules.
Position place_of_header(const yaml::Node& rules, std::string_view list, std::string_view name) {
  const yaml::Entry* found = rules.find(list);
  if (found == nullptr) return rules.at;
  for (const yaml::Entry& entry : found->value.entries)
    if (entry.key == name) return entry.key_at;
  for (const yaml::Node& item : found->value.items)
    if (item.text == name) return item.at;
  return found->key_at;
}

// Whether the route itself, not `defaults`, says something of the header in that list.
bool says(const yaml::Entry* own, std::string_view list, std::string_view name) {
  const yaml::Entry* found = own != nullptr ? own->value.find(list) : nullptr;
  if (found == nullptr) return false;
  const auto is_it = [&](std::string_view known) {
    return gateway::http1::is_same_name(known, name);
  };
  return std::any_of(found->value.entries.begin(), found->value.entries.end(),
                     [&](const yaml::Entry& entry) { return is_it(entry.key); }) ||
         std::any_of(found->value.items.begin(), found->value.items.end(),
                     [&](const yaml::Node& item) { return is_it(item.text); });
}

// What the route sets it does not remove because `defaults` does, and the other way round.
void let_route_win(HeaderRules& rules, const yaml::Entry* own) {
  std::erase_if(rules.remove, [&](const std::string& name) {
    return says(own, "set", name) && !says(own, "remove", name);
  });
  std::erase_if(rules.set, [&](const auto& header) {
    return says(own, "remove", header.first) && !says(own, "set", header.first);
  });
}

// Names that differ only in their case, or in _ and -, are one.
void check_twins(const Place& map, Context& context) {
  const auto& entries = map.node.entries;
  for (auto entry = entries.begin(); entry != entries.end(); ++entry) {
    const auto twin = std::find_if(entries.begin(), entry, [&](const yaml::Entry& before) {
      return gateway::http1::is_same_name(before.key, entry->key);
    });
    if (twin != entry)
      refuse_header(map.child(*entry), context,
                    fmt::format("'{}' and '{}' are one header", twin->key, entry->key),
                    "keep one of them");
  }
}

void check_header_rules(const Place& place, std::string_view key, const yaml::Entry* own_rules,
                        HeaderRules& rules, Context& context) {
  const yaml::Entry* entry = place.node.find(key);
  if (entry == nullptr || entry->value.kind != yaml::Kind::map) return;
  let_route_win(rules, own_rules);
  for (const std::string& name : rules.remove)
    if (names(rules.set, name))
      context.report.add(codes::kHeaderRules, place_of_header(entry->value, "remove", name),
                         fmt::format("{}.{} sets and removes '{}'", place.name, key, name),
                         "what is set replaces what came: leave it out of `remove`");
}

// The backend could not tell any more why it got the request.
void check_matched_headers(const Place& place, Context& context, const RouteSettings& route) {
  const yaml::Entry* rules = place.node.find("request_headers");
  if (rules == nullptr) return;
  for (const std::string& name : route.traffic.request_headers.remove) {
    const auto& conditions = route.rule.match.headers;
    const bool matched = std::any_of(conditions.begin(), conditions.end(), [&](const auto& known) {
      return gateway::http1::is_same_name(known.name, name);
    });
    if (matched)
      context.report.add(codes::kHeaderRules, place_of_header(rules->value, "remove", name),
                         fmt::format("{} matches on the header '{}' and removes it", place.name,
                                     name),
                         "let it pass, or match on something else");
  }
}

// Servers that lay trailers over the fields would read what the rules keep from them.
void check_trailers(const Place& place, std::string_view way, const HeaderRules& rules,
                    const std::vector<std::string>& passed, Context& context) {
  for (const std::string& name : passed) {
    const bool removed = std::ranges::any_of(rules.remove, [&](const std::string& other) {
      return gateway::http1::is_same_name(other, name);
    });
    if (!removed && !names(rules.set, name)) continue;
    context.report.add(
        codes::kHeaderRules, place_of_header(place.node.find("trailers")->value, way, name),
        fmt::format("{} lets the trailer '{}' pass, and {}_headers {} that header", place.name,
                    name, way, removed ? "removes" : "sets"),
        "leave it out of one of them");
  }
}

Key<TrailerSettings> trailer_names(std::string name,
                                   std::vector<std::string> TrailerSettings::* where,
                                   std::string about) {
  const List<HeaderName> list{{}, kMostTrailers};
  return special_key<TrailerSettings>(
      std::move(name), list.type(), "[]", std::move(about),
      [list, where](const Place& place, Context& context, TrailerSettings& trailers) {
        auto read = list.read(place, context);
        if (!read) return;
        for (std::size_t i = 0; i < place.node.items.size(); ++i) {
          const std::string& one = place.node.items[i].text;
          if (gateway::http1::may_be_trailer(one)) continue;
          if (gateway::http1::is_token(one))
            refuse_header(place.item(i), context, fmt::format("'{}' is never let pass", one),
                          "what frames, routes, authenticates or describes a message comes before "
                          "its body");
        }
        trailers.*where = std::move(*read);
      });
}

}  // namespace

std::optional<HeaderFields> read_header_map(const Place& place, Context& context, HeadKind kind) {
  if (!is_map(place, context)) return std::nullopt;
  check_twins(place, context);
  HeaderFields headers;
  for (const yaml::Entry& entry : place.node.entries) {
    const Place child = place.child(entry);
    if (!gateway::http1::is_token(entry.key)) {
      refuse_header(child, context, fmt::format("'{}' is no header name", entry.key),
                    "letters, digits and -");
      continue;
    }
    auto value = read_text(child, context, "text");
    if (!may_edit(entry.key, child, context, kind, HeaderEdit::set) || !value) continue;
    if (!is_field_value(*value)) {
      refuse_header({entry.value, "", entry.value.at}, context,
                    fmt::format("{} holds what cannot stand in a header", child.name),
                    "no line ends, no control characters, no blanks at its ends");
      continue;
    }
    headers.emplace_back(entry.key, std::move(*value));
  }
  if (headers.size() <= kMostHeaders) return headers;
  context.report.add(codes::kOutOfRange, place.at,
                     fmt::format("{} has more than {} headers", place.name, kMostHeaders));
  return std::nullopt;
}

Key<RouteSettings> request_headers_key() {
  return header_rules_key("request_headers", &RouteTraffic::request_headers, HeadKind::request);
}

Key<RouteSettings> response_headers_key() {
  return header_rules_key("response_headers", &RouteTraffic::response_headers, HeadKind::response);
}

Key<RouteSettings> trailers_key() {
  return section<RouteSettings>(
      "trailers", [](RouteSettings& r) -> auto& { return r.traffic.trailers; },
      Keys<TrailerSettings>{
          trailer_names("request", &TrailerSettings::request,
                        "trailer fields of requests that pass; all others are dropped"),
          trailer_names("response", &TrailerSettings::response, "the same for responses")});
}

void finish_header_rules(const Place& place, const Place& own, Context& context,
                         RouteSettings& route) {
  RouteTraffic& traffic = route.traffic;
  check_header_rules(place, "request_headers", own.node.find("request_headers"),
                     traffic.request_headers, context);
  check_header_rules(place, "response_headers", own.node.find("response_headers"),
                     traffic.response_headers, context);
  check_matched_headers(place, context, route);
  check_trailers(place, "request", traffic.request_headers, traffic.trailers.request, context);
  check_trailers(place, "response", traffic.response_headers, traffic.trailers.response, context);
}

}  // namespace segue::config
