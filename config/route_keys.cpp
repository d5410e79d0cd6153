#include <algorithm>
#include <array>
#include <utility>

#include "config/keys.hpp"
#include "config/value_types.hpp"

namespace segue::config {
namespace {

using gateway::RouteTimeouts;
using routing::KeySource;
using routing::Match;
using routing::PathForm;
using routing::Rewrite;
using routing::RewriteForm;
using routing::Split;
using routing::TrailingSlash;
using routing::ValueCondition;

constexpr std::size_t kMaxMethods = 32;      // of one route
constexpr std::size_t kMaxPrecedences = 64;  // `before` of one route

// A method's name; methods are case-sensitive, so `get` would never match.
struct Method {
  using Value = std::string;
  std::optional<std::string> read(const Place& place, Context& context) const {
    auto text = HeaderName{}.read(place, context);
    if (!text) return std::nullopt;
    std::string upper = *text;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (upper == *text) return text;
    refuse_value(place, context, "a method in capitals", fmt::format("did you mean '{}'?", upper));
    return std::nullopt;
  }
  std::string type() const { return "method"; }
  std::string show(const std::string& value) const { return value; }
};

// Reports when not exactly one of `names` is there; true when one is.
bool has_exactly_one(const Place& place, Context& context,
                     const std::vector<std::string_view>& names) {
  const yaml::Entry* first = nullptr;
  for (std::string_view name : names) {
    const yaml::Entry* entry = place.node.find(name);
    if (entry == nullptr) continue;
    if (first == nullptr) {
      first = entry;
      continue;
    }
    context.report.add(codes::kExclusiveKeys, std::max(entry->key_at, first->key_at),
                       fmt::format("{} has both '{}' and '{}'", place.name, first->key, name),
                       "keep one of them");
    return false;
  }
  if (first != nullptr) return true;
  context.report.add(codes::kMissingKey, place.at,
                     fmt::format("{} needs '{}'", place.name, fmt::join(names, "' or '")));
  return false;
}

void read_condition(const Place& place, Context& context, ValueCondition& condition) {
  if (place.node.kind != yaml::Kind::map) {
    if (auto text = read_text(place, context, "text, { present: true } or { regex: ... }"))
      condition.value = std::move(*text);
    return;
  }
  static const Keys<ValueCondition> keys{
      special_key<ValueCondition>("present", "", "", "",
                                  [](const Place& flag, Context& inner, ValueCondition& into) {
                                    into.test = ValueCondition::Test::present;
                                    const auto value = Flag{}.read(flag, inner);
                                    if (value && !*value)
                                      refuse_value(flag, inner, "true",
                                                   "there is no condition on what is absent");
                                  }),
      special_key<ValueCondition>("regex", "", "", "",
                                  [](const Place& regex, Context& inner, ValueCondition& into) {
                                    into.test = ValueCondition::Test::regex;
                                    if (auto text = read_text(regex, inner, "an RE2 expression"))
                                      into.value = std::move(*text);
                                  })};
  if (has_exactly_one(place, context, {"present", "regex"}))
    read_map(place, keys, context, condition);
}

auto read_conditions(std::vector<ValueCondition> Match::* where) {
  return [where](const Place& place, Context& context, Match& match) {
    if (!is_map(place, context)) return;
    for (const yaml::Entry& entry : place.node.entries) {
      ValueCondition condition;
      condition.name = entry.key;
      read_condition(place.child(entry), context, condition);
      (match.*where).push_back(std::move(condition));
    }
  };
}

Key<Match> path_key(std::string name, PathForm form, std::string type, std::string about) {
  return special_key<Match>(std::move(name), type, form == PathForm::prefix ? "/" : "",
                            std::move(about),
                            [form](const Place& place, Context& context, Match& match) {
                              match.form = form;
                              if (auto text = read_text(place, context, "a path"))
                                match.path = std::move(*text);
                            });
}

Keys<Match> match_keys() {
  const Choice<std::string> schemes{{{"http", "http"}, {"https", "https"}}};
  return {
      key<Match>("method", &Match::methods, OneOrMore<Method>{{{}, kMaxMethods}},
                 "GET does not imply HEAD", "any"),
      key<Match>("host", &Match::host, Text{"host name"}, "`shop.example`, or `*.shop.example`",
                 "any"),
      path_key("path", PathForm::path, "template",
               "`/searches/{id}`, `/searches/{id:[0-9]+}`, `/files/{rest...}`"),
      path_key("prefix", PathForm::prefix, "path", "whole segments: `/geo` and all below it"),
      path_key("regex", PathForm::regex, "RE2 expression", "over the whole path; with `under`"),
      key<Match>("under", &Match::under, Text{"path"}, "prefix under which `regex` is tried"),
      special_key<Match>("header", "map of conditions", "",
                         "NAME: value, `{ present: true }` or "
                         "`{ regex: ... }`",
                         read_conditions(&Match::headers)),
      special_key<Match>("query", "map of conditions", "", "the same for query parameters",
                         read_conditions(&Match::query)),
      key<Match>("scheme", &Match::scheme, schemes, "how the client reached the gateway", "any"),
  };
}

Key<RouteSettings> match_key() {
  return {"match",
          [](const Place& place, Context& context, RouteSettings& route) {
            static const Keys<Match> keys = match_keys();
            read_map(place, keys, context, route.rule.match);
            const yaml::Node& node = place.node;
            const bool has_regex = node.find("regex") != nullptr;
            const yaml::Entry* under = node.find("under");
            if (has_regex || node.find("path") != nullptr || node.find("prefix") != nullptr)
              has_exactly_one(place, context, {"path", "prefix", "regex"});
            if (has_regex && under == nullptr)
              context.report.add(codes::kMissingKey, node.find("regex")->key_at,
                                 fmt::format("{} needs 'under' with 'regex'", place.name),
                                 "under: /the/prefix/it/is/tried/under");
            if (!has_regex && under != nullptr)
              context.report.add(codes::kExclusiveKeys, under->key_at,
                                 fmt::format("{} has 'under' without 'regex'", place.name));
          },
          [](const std::string& path, const RouteSettings&, std::vector<KeyRow>& rows) {
            document_keys(path, match_keys(), Match{}, rows);
          }};
}

struct Shares {
  std::uint16_t legacy = 0;
  std::uint16_t fresh = 0;
};

std::optional<Shares> read_shares(const Place& place, Context& context) {
  static const Keys<Shares> keys{
      required(special_key<Shares>("legacy", "", "", "",
                                   [](const Place& share, Context& inner, Shares& into) {
                                     into.legacy = Percent{}.read(share, inner).value_or(0);
                                   })),
      required(special_key<Shares>("new", "", "", "",
                                   [](const Place& share, Context& inner, Shares& into) {
                                     into.fresh = Percent{}.read(share, inner).value_or(0);
                                   }))};
  Shares shares;
  const std::size_t errors = context.report.count();
  read_map(place, keys, context, shares);
  if (context.report.count() != errors) return std::nullopt;
  if (shares.legacy + shares.fresh == 10'000) return shares;
  context.report.add(codes::kSplitSum, place.at,
                     fmt::format("{} adds up to {:g}, not 100", place.name,
                                 (shares.legacy + shares.fresh) / 100.0));
  return std::nullopt;
}

void read_split(const Place& place, Context& context, RouteSettings& route) {
  if (!route.rule.split) route.rule.split.emplace();
  if (const auto shares = read_shares(place, context)) route.rule.split->new_share = shares->fresh;
}

Keys<Split> sticky_keys() {
  const Choice<bool> arms{{{"legacy", false}, {"new", true}}};
  return {
      required(special_key<Split>(
          "key", "as record.key", "", "what keeps a user on one side",
          [](const Place& place, Context& context, Split& split) {
            constexpr std::string_view kExpected =
                "header:NAME, cookie:NAME, query:NAME, path:NAME, jwt:HEADER/CLAIM or peer";
            const auto text = read_text(place, context, kExpected);
            if (!text) return;
            if (auto source = KeySource::parse(*text))
              split.key = std::move(*source);
            else
              refuse_value(place, context, kExpected);
          })),
      key<Split>("missing", &Split::missing_to_new, arms,
                 "where requests without the key go; must be said", ""),
      key<Split>("salt", &Split::salt, Text{},
                 "changes which users are on which side; renaming a route changes it too unless "
                 "it is set",
                 "the route's name"),
  };
}

Key<RouteSettings> sticky_key() {
  return {"sticky",
          [](const Place& place, Context& context, RouteSettings& route) {
            static const Keys<Split> keys = sticky_keys();
            if (!route.rule.split) route.rule.split.emplace();
            read_map(place, keys, context, *route.rule.split);
            if (place.node.kind == yaml::Kind::map && place.node.find("missing") == nullptr)
              context.report.add(
                  codes::kSticky, place.at,
                  fmt::format("{} does not say where requests without the key go", place.name),
                  "missing: legacy");
          },
          [](const std::string& path, const RouteSettings&, std::vector<KeyRow>& rows) {
            document_keys(path, sticky_keys(), Split{}, rows);
          }};
}

Key<Rewrite> rewrite_form(std::string name, RewriteForm form, std::string about) {
  return special_key<Rewrite>(std::move(name), "path", "", std::move(about),
                              [form](const Place& place, Context& context, Rewrite& rewrite) {
                                rewrite.form = form;
                                if (auto text = read_text(place, context, "a path"))
                                  rewrite.to = std::move(*text);
                              });
}

Keys<Rewrite> rewrite_keys() {
  return {rewrite_form("prefix", RewriteForm::prefix, "replaces the prefix that matched"),
          rewrite_form("path", RewriteForm::path, "replaces the path; may use `{parameters}`")};
}

Key<RouteSettings> rewrite_key() {
  return {"rewrite",
          [](const Place& place, Context& context, RouteSettings& route) {
            static const Keys<Rewrite> keys = rewrite_keys();
            read_map(place, keys, context, route.rule.rewrite);
            if (place.node.kind == yaml::Kind::map)
              has_exactly_one(place, context, {"prefix", "path"});
          },
          [](const std::string& path, const RouteSettings&, std::vector<KeyRow>& rows) {
            document_keys(path, rewrite_keys(), Rewrite{}, rows);
          }};
}

Key<RouteSettings> timeouts_key() {
  const Optional<Duration> timeout{{milliseconds{1}, std::chrono::hours{24}}};
  const std::string inherited = "the backend's";
  return section<RouteSettings>(
      "timeouts", &RouteSettings::timeouts,
      Keys<RouteTimeouts>{
          key<RouteTimeouts>("first_byte", &RouteTimeouts::first_byte, timeout,
                             "from the end of the request to the head of the response", inherited),
          key<RouteTimeouts>("idle", &RouteTimeouts::idle, timeout,
                             "between two reads of a response", inherited),
          key<RouteTimeouts>("total", &RouteTimeouts::total, timeout,
                             "the whole exchange, retry included", inherited),
          key<RouteTimeouts>("tunnel", &RouteTimeouts::tunnel, timeout,
                             "a WebSocket without a byte in either direction", inherited)});
}

Keys<RouteSettings> make_route_keys() {
  const Choice<TrailingSlash> slashes{
      {{"strict", TrailingSlash::strict}, {"ignore", TrailingSlash::ignore}}};
  return {
      required(match_key()),
      key<RouteSettings>(
          "to", [](RouteSettings& r) -> auto& { return r.rule.to; }, Text{"backend"},
          "where requests go; or `split`, `redirect` or `respond`", ""),
      special_key<RouteSettings>("split", "{ legacy: percent, new: percent }", "",
                                 "shares of the backends with these roles; they sum to 100",
                                 read_split),
      sticky_key(),
      rewrite_key(),
      key<RouteSettings>(
          "before", [](RouteSettings& r) -> auto& { return r.rule.before; },
          OneOrMore<Text>{{{"route"}, kMaxPrecedences}},
          "routes that this one wins over where the rule of precedence leaves a tie"),
      key<RouteSettings>(
          "trailing_slash", [](RouteSettings& r) -> auto& { return r.rule.trailing_slash; },
          slashes, "whether `/searches/` is `/searches`"),
      record_key(),
      timeouts_key(),
      shadow_key(),
      compare_key(),
      fallback_key(),
      redirect_key(),
      respond_key(),
      request_headers_key(),
      response_headers_key(),
      upgrade_key(),
      trailers_key(),
  };
}

void check_sticky(const Place& place, Context& context, RouteSettings& route) {
  const yaml::Entry* split = place.node.find("split");
  const yaml::Entry* sticky = place.node.find("sticky");
  if (split != nullptr && sticky == nullptr)
    context.report.add(codes::kSticky, split->key_at,
                       fmt::format("{} has 'split' without 'sticky'", place.name),
                       "sticky: { key: cookie:NAME, missing: legacy }");
  if (split == nullptr && sticky != nullptr) {
    context.report.add(codes::kSticky, sticky->key_at,
                       fmt::format("{} has 'sticky' without 'split'", place.name));
    route.rule.split.reset();
  }
}

}  // namespace

const Keys<RouteSettings>& defaults_keys() {
  static const Keys<RouteSettings> keys{record_key(),          timeouts_key(),
                                        default_shadow_key(),  compare_key(),
                                        request_headers_key(), response_headers_key(),
                                        upgrade_key(),         trailers_key()};
  return keys;
}

const Keys<RouteSettings>& route_keys() {
  static const Keys<RouteSettings> keys = make_route_keys();
  return keys;
}

void finish_route(const Place& place, const Place& own, Context& context, RouteSettings& route) {
  if (place.node.kind != yaml::Kind::map) return;
  finish_record(place, route);
  finish_shadow(place, context, route);
  finish_header_rules(place, own, context, route);
  finish_actions(place, own, context, route);
  if (!has_exactly_one(place, context, {"to", "split", "redirect", "respond"})) return;
  if (!is_answered(place.node)) check_sticky(place, context, route);
}

std::optional<std::array<double, 2>> read_expected_split(const Place& place, Context& context) {
  const auto shares = read_shares(place, context);
  if (!shares) return std::nullopt;
  return std::array<double, 2>{shares->legacy / 100.0, shares->fresh / 100.0};
}

}  // namespace segue::config
