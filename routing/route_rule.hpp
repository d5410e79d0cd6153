#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::routing {

// Where a value is read from in a request: `record.key`, `sticky.key`.
// Text form: header:NAME | cookie:NAME | query:NAME | path:NAME | jwt:HEADER/CLAIM | peer.
struct KeySource {
  enum class From : std::uint8_t { none, header, cookie, query, path, jwt, peer };
  From from = From::none;
  std::string name;   // header, cookie, query or path parameter name; jwt: the header
  std::string claim;  // jwt only

  // nullopt when the text is none of the forms above.
  static std::optional<KeySource> parse(std::string_view text);
  bool operator==(const KeySource&) const = default;
};

// One condition on a header or query value; the first value of a repeated name counts.
struct ValueCondition {
  enum class Test : std::uint8_t { equals, present, regex };
  std::string name;  // header names compare ignoring case, query names exactly
  Test test = Test::equals;
  std::string value;  // what it equals, or an RE2 expression anchored at both ends
  bool operator==(const ValueCondition&) const = default;
};

enum class PathForm : std::uint8_t {
  path,    // template: literals, {p}, {p:regex}, last may be {p...}
  prefix,  // whole segments: /geo matches /geo and /geo/be, not /geography
  regex,   // RE2 over the whole path, only under the prefix `under`
};

// `match:` of a route. An empty list is no condition.
struct Match {
  std::vector<std::string> methods;
  std::string host;  // exact, "*.name", or empty for any; the port of a request is ignored
  PathForm form = PathForm::prefix;
  std::string path = "/";  // template, prefix or expression, by `form`
  std::string under;       // regex only
  std::vector<ValueCondition> headers;
  std::vector<ValueCondition> query;
  std::string scheme;  // "http", "https" or empty
};

// Two arms that sum to 100.00, in hundredths of a percent. bucket < new_share goes to `new`.
struct Split {
  std::uint16_t new_share = 0;  // 0..10000
  KeySource key;
  bool missing_to_new = false;  // sticky.missing: where requests without the key go
  std::string salt;             // empty: the route's name
};

enum class RewriteForm : std::uint8_t { none, prefix, path };

struct Rewrite {
  RewriteForm form = RewriteForm::none;
  std::string to;  // prefix: replaces the matched prefix; path: a template over the parameters
};

// ShadowRule::to of the arm that a split did not choose.
inline constexpr std::string_view kOtherArm = "other";

// `shadow:` of a route, as far as it decides: a copy of a request goes to another backend, too.
struct ShadowRule {
  std::string to;      // backend name, or kOtherArm
  std::string writes;  // where side effects go, as the operator states it; empty: safe methods only

  bool operator==(const ShadowRule&) const = default;
};

// Whether requests of a route go to a backend, or are answered by the gateway itself.
enum class RouteAction : std::uint8_t { forward, redirect, respond };

enum class TrailingSlash : std::uint8_t { strict, ignore };

// One entry of `routes:`, in names; what the configuration says, nothing resolved yet.
struct RouteRule {
  std::string name;
  Match match;
  RouteAction action = RouteAction::forward;
  std::string to;  // backend name; empty when `split` is set, and without `forward`
  std::optional<Split> split;
  Rewrite rewrite;
  std::vector<std::string> before;  // ties decided by hand: this route wins over those
  TrailingSlash trailing_slash = TrailingSlash::strict;
  KeySource account;  // record.key
  std::optional<ShadowRule> shadow;
  // Backend that serves where the chosen one cannot be reached and nothing was sent; empty: none.
  std::string fallback;
  // With RouteAction::redirect: the parts of the location that are not the request's; empty: the
  // request's. The path is a template as in `rewrite.path`, and may bring a query.
  std::string redirect_scheme;
  std::string redirect_host;
  std::string redirect_path;
  std::uint16_t answer_status = 0;  // without `forward`: what the gateway answers
};

// A backend as routing knows it.
struct BackendRule {
  std::string name;
  std::string role;  // "legacy", "new", or the backend's name
};

// One entry of `tests:`. An absent expectation is not asserted; "none" asserts absence.
struct TestCase {
  std::string method;
  std::string target;
  std::string host;  // default "localhost"
  std::string scheme = "http";
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> key;  // sticky value
  std::optional<std::string> route, not_route, backend, upstream_path;
  std::optional<std::string> location;  // of a redirect
  std::optional<std::string> shadow;  // backend that gets a copy, were every request sampled
  std::optional<std::array<double, 2>> split;  // percent of legacy, of new
  std::optional<std::map<std::string, std::string>> params;
  // What the gateway itself would answer: 400 path confusion, 404, of a redirect, of a respond.
  std::optional<int> status;
};

// What is wrong with a rule set. `key` leads to the place in the configuration:
// "routes.search-read.match.path"; config/ turns it into file:line:column.
struct Problem {
  std::string code;  // "E031"; docs/routing.md explains E030 and up, docs/errors.md the rest
  std::string key;
  std::string message;
  std::string fix;  // what to write instead; may be empty
};

}  // namespace segue::routing
