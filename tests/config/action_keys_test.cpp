#include <catch2/catch_test_macros.hpp>
#include <string>

#include "tests/config/marked_configuration.hpp"

namespace segue::config {
namespace {

using routing::RouteAction;
using testing::check_wrong;
using testing::route_of;
using testing::settings_of;
using testing::Wrong;
using Fields = std::vector<std::pair<std::string, std::string>>;
using Names = std::vector<std::string>;

// A route to a backend, and one without, whose further keys are these.
#define ROUTE_WITH(keys) "routes: { all: { match: {}, to: legacy, " keys " } }"
#define ANSWERED(keys) "routes: { all: { match: {}, " keys " } }"

constexpr Wrong kHeaders[] = {
    {ROUTE_WITH("request_headers: { set: { ‹a b›: x } }"), "E080", "'a b' is no header name",
     "letters, digits and -"},
    {ROUTE_WITH("request_headers: { set: { x-a: ‹\"a\\r\\nb: c\"› } }"), "E080",
     "routes.all.request_headers.set.x-a holds what cannot stand in a header",
     "no line ends, no control characters, no blanks at its ends"},
    {ROUTE_WITH("response_headers: { set: { x-a: ‹\"a\\0\"› } }"), "E080",
     "routes.all.response_headers.set.x-a holds what cannot stand in a header",
     "no line ends, no control characters, no blanks at its ends"},
    {ROUTE_WITH("response_headers: { set: { x-a: ‹\" a\"› } }"), "E080",
     "routes.all.response_headers.set.x-a holds what cannot stand in a header",
     "no line ends, no control characters, no blanks at its ends"},
    {ROUTE_WITH("response_headers: { set: { x-a: ‹5› } }"), "E010",
     "routes.all.response_headers.set.x-a must be text, not the number 5", "quote it: \"5\""},
    {ROUTE_WITH("request_headers: { set: { ‹Host›: a } }"), "E080",
     "'Host' cannot be set by a route: what a backend is sent is the backend's `host`",
     "leave it out"},
    {ROUTE_WITH("request_headers: { set: { ‹content_length›: a } }"), "E080",
     "'content_length' cannot be set by a route: it belongs to one connection or frames the "
     "message, and the gateway writes it",
     "leave it out"},
    {ROUTE_WITH("response_headers: { remove: [‹Connection›] }"), "E080",
     "'Connection' cannot be removed by a route: it belongs to one connection or frames the "
     "message, and the gateway writes it",
     "leave it out"},
    {ROUTE_WITH("request_headers: { set: { ‹upgrade›: a } }"), "E080",
     "'upgrade' cannot be set by a route: a route lets clients switch protocols with `upgrade`",
     "leave it out"},
    {ROUTE_WITH("response_headers: { set: { ‹Segue-X›: a } }"), "E080",
     "'Segue-X' cannot be set by a route: names that begin with Segue- are the gateway's own",
     "leave it out"},
    {ROUTE_WITH("response_headers: { remove: [‹date›] }"), "E080",
     "'date' cannot be removed by a route: it says when the message was made", "leave it out"},
    {ROUTE_WITH("request_headers: { remove: [‹expect›] }"), "E080",
     "'expect' cannot be removed by a route: the gateway acts on it", "leave it out"},
    {ROUTE_WITH("request_headers: { set: { ‹X-Forwarded-For›: a } }"), "E080",
     "'X-Forwarded-For' cannot be set by a route: the gateway says there who the client is",
     "leave it out"},
    {ROUTE_WITH("request_headers: { remove: [‹via›] }"), "E080",
     "'via' cannot be removed by a route: the gateway says there that it forwarded the message",
     "leave it out"},
    {ROUTE_WITH("request_headers: { set: { X-A: a, ‹x_a›: b } }"), "E080",
     "'X-A' and 'x_a' are one header", "keep one of them"},
    {"defaults: { record: { redact: {} }, request_headers: { set: { X-A: a, ‹x_a›: b } } }\n"
     "routes: { all: { match: {}, to: legacy } }",
     "E080", "'X-A' and 'x_a' are one header", "keep one of them"},
    {ROUTE_WITH("request_headers: { set: { X-A: a }, remove: [‹x-a›] }"), "E080",
     "routes.all.request_headers sets and removes 'x-a'",
     "what is set replaces what came: leave it out of `remove`"},
    {"routes: { all: { match: { header: { X-Beta: a } }, to: legacy, request_headers: { remove: "
     "[‹x-beta›] } } }",
     "E080", "routes.all matches on the header 'x-beta' and removes it",
     "let it pass, or match on something else"},
    {ROUTE_WITH("trailers: { response: [grpc-status, ‹content-length›] }"), "E080",
     "'content-length' is never let pass",
     "what frames, routes, authenticates or describes a message comes before its body"},
    {"defaults: { record: { redact: {} }, request_headers: { remove: [X-Debug] } }\n"
     "routes: { all: { match: {}, to: legacy, trailers: { request: [a, ‹x-debug›] } } }",
     "E080",
     "routes.all lets the trailer 'x-debug' pass, and request_headers removes that header",
     "leave it out of one of them"},
    {ROUTE_WITH("response_headers: { set: { X-Sum: a } }, trailers: { response: [‹x-sum›] }"),
     "E080", "routes.all lets the trailer 'x-sum' pass, and response_headers sets that header",
     "leave it out of one of them"},
    {ROUTE_WITH("upgrade: [‹h2c›]"), "E014",
     "routes.all.upgrade[0] must be 'websocket', not 'h2c'", ""},
};

constexpr Wrong kActions[] = {
    {"routes: { all: { match: {}, to: legacy, ‹redirect›: { scheme: https } } }", "E015",
     "routes.all has both 'to' and 'redirect'", "keep one of them"},
    {ANSWERED("redirect: { path: /x }, ‹respond›: { status: 200 }"), "E015",
     "routes.all has both 'redirect' and 'respond'", "keep one of them"},
    {ANSWERED("‹redirect›: { status: 301 }"), "E013",
     "routes.all.redirect needs 'scheme', 'host' or 'path'", "scheme: https"},
    {ANSWERED("redirect: { host: a, status: ‹300› }"), "E014",
     "routes.all.redirect.status must be one of 301, 302, 303, 307, 308, not the number 300",
     "did you mean '301'?"},
    {ANSWERED("redirect: { scheme: ‹ftp› }"), "E014",
     "routes.all.redirect.scheme must be one of http, https, not 'ftp'", ""},
    {ANSWERED("redirect: { host: ‹\"https://a/\"› }"), "E014",
     "routes.all.redirect.host must be a host or host:port, such as shop.example, not "
     "'https://a/'",
     "without scheme and path"},
    {ANSWERED("redirect: { host: a, path: ‹\"/{id}\"› }"), "E049",
     "the path has no parameter 'id'", "name a segment of the path {id}, or leave it out"},
    {ANSWERED("redirect: { host: a, path: ‹x› }"), "E050", "'x' is no path to redirect to",
     "begin with '/', escape what is not ASCII, and leave out '#'"},
    {ANSWERED("redirect: { host: a, path: ‹\"/x?a#b\"› }"), "E050",
     "'/x?a#b' is no path to redirect to",
     "begin with '/', escape what is not ASCII, and leave out '#'"},
    {ANSWERED("‹redirect›: { scheme: https }"), "E065",
     "the redirect never ends: http://localhost/ is sent to https://localhost/, and from there on "
     "and on",
     "match: { scheme: http }"},
    {ANSWERED("‹redirect›: { path: \"/x\" }"), "E065",
     "the redirect never ends: http://localhost/ is sent to http://localhost/x, and from there on "
     "and on",
     "match only what the location is not, or redirect elsewhere"},
    {ANSWERED("redirect: { host: a }, ‹request_headers›: { set: { x: a } }"), "E081",
     "routes.all has 'request_headers' beside 'redirect': no backend is asked", "remove it"},
    {ANSWERED("respond: { status: 410 }, ‹fallback›: legacy"), "E081",
     "routes.all has 'fallback' beside 'respond': no backend is asked", "remove it"},
    {ANSWERED("respond: { status: 410 }, ‹timeouts›: { idle: 1s }"), "E081",
     "routes.all has 'timeouts' beside 'respond': no backend is asked", "remove it"},
    {ANSWERED("respond: { status: 410 }, ‹upgrade›: [websocket]"), "E081",
     "routes.all has 'upgrade' beside 'respond': no backend is asked", "remove it"},
    {ANSWERED("redirect: { host: a }, ‹shadow›: { to: new, percent: 1 }"), "E081",
     "routes.all has 'shadow' beside 'redirect': no backend is asked", "remove it"},
    {ANSWERED("redirect: { host: a }, ‹rewrite›: { path: /x }"), "E081",
     "routes.all has 'rewrite' beside 'redirect': no backend is asked", "remove it"},
    {ANSWERED("‹respond›: { body: x }"), "E013", "routes.all.respond needs 'status'", ""},
    {ANSWERED("respond: { status: ‹101› }"), "E011",
     "routes.all.respond.status must be between 200 and 599, not 101", ""},
    {ANSWERED("respond: { status: 204, ‹body›: x }"), "E015",
     "routes.all.respond has a body, and an answer with status 204 has none",
     "remove the body, or answer with another status"},
    {ANSWERED("respond: { status: 200, headers: { ‹content-length›: \"5\" } }"), "E080",
     "'content-length' cannot be set by a route: it belongs to one connection or frames the "
     "message, and the gateway writes it",
     "leave it out"},
    {ROUTE_WITH("fallback: ‹nw›"), "E016", "no backend is called 'nw'", "did you mean 'new'?"},
    {ROUTE_WITH("fallback: ‹legacy›"), "E064", "the route goes to 'legacy' already",
     "name the other backend, or leave `fallback` out"},
};

TEST_CASE("header rules that would do harm or contradict themselves are refused") {
  for (const Wrong& one : kHeaders) check_wrong(one);
}

TEST_CASE("redirects, responds and fallbacks that could not be done are refused") {
  for (const Wrong& one : kActions) check_wrong(one);
}

TEST_CASE("a body that a route answers has a limit") {
  const auto answering = [](std::size_t bytes) {
    return "routes: { all: { match: {}, respond: { status: 200, body: " + std::string(bytes, 'x') +
           " } } }";
  };
  const auto result = testing::load_changed(answering(65'537));
  REQUIRE(result.errors.size() == 1);
  CHECK(result.errors.front().code == "E011");
  const Settings settings = settings_of(answering(65'536));
  CHECK(route_of(settings, "all").traffic.respond->body.size() == 65'536);
}

TEST_CASE("every value of a route's actions arrives") {
  const Settings settings = settings_of(R"(
routes:
  all:
    match: {}
    to: legacy
    fallback: new
    request_headers: { set: { X-A: a, X-B: "b c" }, remove: [x-c] }
    response_headers: { set: { Strict-Transport-Security: max-age=1 }, remove: [server, via] }
    upgrade: [websocket]
    trailers: { request: [x-sum], response: [grpc-status] }
  moved:
    match: { path: "/old/{id}" }
    redirect: { scheme: https, host: "a.example:8443", path: "/new?id={id}", status: 301 }
  gone:
    match: { path: /gone }
    respond: { status: 410, headers: { X-Why: moved }, body: gone }
)");
  const RouteSettings& all = route_of(settings, "all");
  CHECK(all.rule.fallback == "new");
  CHECK(all.traffic.request_headers.set == Fields{{"X-A", "a"}, {"X-B", "b c"}});
  CHECK(all.traffic.request_headers.remove == Names{"x-c"});
  CHECK(all.traffic.response_headers.remove == Names{"server", "via"});
  CHECK(all.traffic.websocket);
  CHECK(all.traffic.trailers.request == Names{"x-sum"});
  CHECK(all.traffic.trailers.response == Names{"grpc-status"});
  const RouteSettings& moved = route_of(settings, "moved");
  CHECK(moved.rule.action == RouteAction::redirect);
  CHECK(moved.rule.answer_status == 301);
  CHECK(moved.rule.redirect_path == "/new?id={id}");
  CHECK(moved.traffic.redirect->scheme == "https");
  CHECK(moved.traffic.redirect->host == "a.example:8443");
  const RouteSettings& gone = route_of(settings, "gone");
  CHECK(gone.rule.action == RouteAction::respond);
  CHECK(gone.rule.answer_status == 410);
  CHECK(gone.traffic.respond->headers == Fields{{"X-Why", "moved"}});
  CHECK(gone.traffic.respond->body == "gone");
}

TEST_CASE("a route's header rules are laid on those of defaults, and win over them") {
  const Settings settings = settings_of(R"(
defaults:
  record: { redact: {} }
  request_headers: { set: { X-A: a, X-B: b }, remove: [x-c, x-d] }
  response_headers: { remove: [server] }
  upgrade: [websocket]
  trailers: { response: [x-sum] }
routes:
  plain: { match: {}, to: legacy }
  own:
    match: { path: /own }
    to: legacy
    request_headers: { set: { X-B: c, X-C: kept }, remove: [x-a] }
    upgrade: []
    trailers: { response: [] }
  still: { match: { path: /still }, to: legacy, request_headers: { set: { x-d: kept } } }
  gone: { match: { path: /gone }, respond: { status: 410 } }
)");
  const auto& plain = route_of(settings, "plain").traffic;
  CHECK(plain.request_headers.set == Fields{{"X-A", "a"}, {"X-B", "b"}});
  CHECK(plain.request_headers.remove == Names{"x-c", "x-d"});
  CHECK(plain.websocket);
  CHECK(plain.trailers.response == Names{"x-sum"});
  const auto& own = route_of(settings, "own").traffic;
  CHECK(own.request_headers.set == Fields{{"X-B", "c"}, {"X-C", "kept"}});
  CHECK(own.request_headers.remove == Names{"x-a"});
  CHECK(own.response_headers.remove == Names{"server"});
  CHECK_FALSE(own.websocket);
  CHECK(own.trailers.response.empty());
  const auto& still = route_of(settings, "still").traffic;
  CHECK(still.request_headers.remove == Names{"x-c"});
  CHECK(still.request_headers.set == Fields{{"x-d", "kept"}, {"X-A", "a"}, {"X-B", "b"}});
  // What is said of how backends are asked is not for a route that asks none.
  const auto& gone = route_of(settings, "gone").traffic;
  CHECK(gone.request_headers.empty());
  CHECK_FALSE(gone.websocket);
  CHECK(gone.response_headers.remove == Names{"server"});
}

TEST_CASE("a route's value of a header wins over that of defaults, however the name is written") {
  const Settings settings = settings_of(R"(
defaults:
  record: { redact: {} }
  request_headers: { set: { X_Site: one, X-B: b } }
  response_headers: { set: { Strict-Transport-Security: max-age=1 } }
routes:
  all:
    match: {}
    to: legacy
    request_headers: { set: { x-site: two } }
    response_headers: { set: { strict-transport-security: max-age=2 } }
)");
  const auto& all = route_of(settings, "all").traffic;
  CHECK(all.request_headers.set == Fields{{"x-site", "two"}, {"X-B", "b"}});
  CHECK(all.response_headers.set == Fields{{"strict-transport-security", "max-age=2"}});
}

TEST_CASE("a redirect to plain HTTP's twin is let be, and so is one to another host") {
  settings_of(R"(
routes:
  https: { match: { scheme: http }, redirect: { scheme: https } }
  all: { match: {}, to: legacy }
  elsewhere: { match: { prefix: /moved }, redirect: { host: other.example } }
tests:
  - { request: "GET /a?b", route: https, status: 308, backend: none, location: "https://localhost/a?b" }
  - { request: "GET https://shop.example/a", route: all, location: none }
  - { request: "GET https://shop.example:8443/moved/x", location: "https://other.example/moved/x" }
)");
}

}  // namespace
}  // namespace segue::config
